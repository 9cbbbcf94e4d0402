"""What integrations, reports and mails cost: bytes, WAL and CPU, measured and fitted to a line.

The real commands do the work on an embedded database: `report` takes the reports, a `worker` plans,
composes and sends to postfix's `smtp-sink`. Two sizes one after another; the slope of the line
through them leaves out what a process or a table costs once. `VACUUM` of what each step leaves
behind is counted with it. `python -m benchmarks.capacity` measures, and writes
docs/explanation/capacity.md; with `--document` it only writes that, from the last measurement.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from tests.installation import Installation, free_port, ndjson, wait_for

from benchmarks import capacity_document
from benchmarks.capacity_model import SIZES
from integration_alerts.engine.postgres import EmbeddedPostgres

COMPANY = 10  # integrations of a company, which one Manager hears of
RESULTS = Path(__file__).parent / "results" / "capacity.json"
Samples = dict[str, list[float]]

_TABLES = (
    "integration", "state_change", "report_receipt", "incident", "notice", "email", "email_notice",
    "delivery_attempt",
)  # fmt: skip
_REASON = {"code": "expired_login", "message": "The sign-in of Google has expired."}
_SINK = "smtp-sink"  # of Debian's package postfix
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """What was used so far, or in between."""

    wal: float
    """Bytes of write-ahead log."""
    database: float
    """CPU seconds of PostgreSQL."""
    program: float
    """CPU seconds of our processes."""

    def __sub__(self, other: "Cost") -> "Cost":
        return Cost(
            self.wal - other.wal, self.database - other.database, self.program - other.program
        )


@dataclass(slots=True)
class _Bench:
    installation: Installation
    conninfo: str
    points: dict[str, list[tuple[float, Cost]]] = field(default_factory=dict)
    sizes: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, count: int) -> Iterator[None]:
        """Count what the block uses for `count` things, and the vacuum after it."""
        before = self.used()
        yield
        self.query("VACUUM (ANALYZE)")
        self.points.setdefault(name, []).append((count, self.used() - before))

    def used(self) -> Cost:
        """What all processes and the log have used so far."""
        ((wal, folder),) = self.query(
            "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0'),"
            " current_setting('data_directory')"
        )
        ours = resource.getrusage(resource.RUSAGE_CHILDREN)
        return Cost(float(wal), _cpu_of_server(Path(folder)), ours.ru_utime + ours.ru_stime)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of a statement of its own."""
        with psycopg.connect(self.conninfo, autocommit=True) as server:
            cursor = server.execute(sql, parameters)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def report(self, lines: list[dict[str, Any]]) -> None:
        """Let the command take these reports."""
        self.command("report", lines)

    def command(self, name: str, lines: Iterable[dict[str, Any]]) -> None:
        """Let a command take these lines, however long that is."""
        subprocess.run(
            [sys.executable, "-m", "integration_alerts", name, "-"],
            env=self.installation.environment, input=ndjson(lines), text=True, check=True,
            stdout=subprocess.DEVNULL,
        )  # fmt: skip

    def work(self, mails: int) -> None:
        """Let a worker run until so many mails are out and nothing is to be planned."""
        worker = self.installation.worker()
        wait_for(lambda: self.query(_AT_REST, mails)[0][0], patience=900, what="the mails to go")
        worker.terminate()
        worker.wait()

    def note_sizes(self) -> None:
        """How many rows each table has, and how many bytes with its indexes and TOAST."""
        for table in _TABLES:
            ((rows, total, toast),) = self.query(_SIZE.format(table=table))
            self.sizes.setdefault(table, []).append((rows, total - toast))
            self.sizes.setdefault(f"{table} TOAST", []).append((rows, toast))


def capacity(place: Path) -> Samples:
    """The slopes, each a list of one: bytes a row, and the WAL and CPU that a thing costs."""
    port = free_port()
    sink = subprocess.Popen(
        [_SINK, *(["-u", "nobody"] if os.geteuid() == 0 else []), f"127.0.0.1:{port}", "100"]
    )
    mail = f"smtp://127.0.0.1:{port}"
    try:
        with EmbeddedPostgres(place) as embedded:
            installation = Installation(place, None, EMAIL_URL=mail)
            bench = _Bench(installation, make_conninfo(**embedded.conninfo))
            for number, size in enumerate(SIZES):
                _measure(bench, f"account-{number}", size)
            installation.close()
            return _fitted(bench)
    finally:
        sink.terminate()
        sink.wait()


def _measure(bench: _Bench, account: str, size: int) -> None:
    """One account's life: set up, nothing new, broken in two waves, mended."""
    companies = size // COMPANY
    bench.command("import", _directory(account, companies))
    sent = bench.query("SELECT count(*) FROM email")[0][0]
    everything = range(size)
    first = range(0, size, COMPANY)
    rest = [number for number in everything if number % COMPANY]
    with bench.step("first report", size):
        bench.report(_reports(account, everything, "active"))
    with bench.step("unchanged report", size):
        bench.report(_reports(account, everything, "active"))
    with bench.step("failing report", len(first)):
        bench.report(_reports(account, first, "failed"))
    with bench.step("mail with 1 notice", companies):
        bench.work(sent + companies)
    with bench.step("failing report", len(rest)):
        bench.report(_reports(account, rest, "failed"))
    with bench.step("mail with 9 notices", companies):
        bench.work(sent + 2 * companies)
    with bench.step("mending report", size):
        bench.report(_reports(account, everything, "active"))
    with bench.step("planned end", size):
        bench.work(sent + 2 * companies)
    bench.note_sizes()


def _fitted(bench: _Bench) -> Samples:
    samples: Samples = {}
    for table, points in bench.sizes.items():
        samples[f"{table}: bytes a row"] = [slope(points)]
    for name, costs in bench.points.items():
        for what, read in _READ.items():
            found = slope([(count, read(cost)) for count, cost in costs])
            if found <= 0 and name in _CERTAIN:
                raise RuntimeError(
                    f"{name}: {what}: more of them took less; something else ran meanwhile, so "
                    "measure again: python -m benchmarks capacity"
                )
            samples[f"{name}: {what}"] = [found]
    return samples


_CERTAIN = ("first report", "unchanged report", "failing report", "mail with 1 notice")


_READ: dict[str, Callable[[Cost], float]] = {
    "WAL bytes": lambda cost: cost.wal,
    "CPU of PostgreSQL, ms": lambda cost: cost.database * 1000,
    "CPU of our processes, ms": lambda cost: cost.program * 1000,
}


def slope(points: list[tuple[float, float]]) -> float:
    """Of the line that fits best."""
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def _directory(account: str, companies: int) -> Iterator[dict[str, Any]]:
    yield {"type": "account", "id": account, "name": account}
    for number in range(companies):
        company, user = f"company-{number}", f"user-{number}"
        yield {"type": "company", "account": account, "id": company, "name": f"Shop {number}"}
        yield {
            "type": "user", "account": account, "id": user, "name": f"Manager {number}",
            "email": f"manager-{number}@{account}.example", "role": "manager",
            "companies": [company],
        }  # fmt: skip
        yield {"type": "subscription", "account": account, "user": user, "companies": "all"}


def _reports(account: str, numbers: Any, state: str) -> list[dict[str, Any]]:
    now = datetime.now(UTC).isoformat()
    return [
        {
            "id": f"{state}-{number}-{time.time_ns()}", "account": account,
            "company": f"company-{number // COMPANY}", "integration": f"google-ads-{number}",
            "state": state, "occurred_at": now, "provider": "google-ads",
            "name": f"Google Ads of shop {number // COMPANY}",
            "fix_url": f"https://app.platform.example/integrations/{number}",
            **({"reason": _REASON} if state == "failed" else {}),
        }
        for number in numbers
    ]  # fmt: skip


def _cpu_of_server(folder: Path) -> float:
    """CPU seconds of the server and of all its processes, those that have ended among them."""
    server = (folder / "postmaster.pid").read_text().split()[0]
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if path.parent.name == server or fields[1] == server:
            total += sum(map(int, fields[11:15]))
    return total / _TICKS


_AT_REST = """
SELECT (SELECT count(*) FROM email WHERE status = 'sent') >= %s
   AND NOT EXISTS (SELECT FROM incident WHERE next_notice_at <= now())
   AND NOT EXISTS (SELECT FROM notice WHERE status = 'planned')
   AND NOT EXISTS (SELECT FROM email WHERE status IN ('queued', 'sending'))"""

_SIZE = """
SELECT (SELECT count(*) FROM {table}), pg_total_relation_size('{table}'),
       coalesce(pg_total_relation_size(nullif(reltoastrelid, 0)), 0)
FROM pg_class WHERE oid = '{table}'::regclass"""


def main(arguments: list[str]) -> None:
    """Measure unless only the document is asked for; write both files."""
    if arguments != ["--document"]:
        with tempfile.TemporaryDirectory(prefix="integration-alerts-bench-") as place:
            samples = capacity(Path(place))
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(samples, indent=1) + "\n")
    capacity_document.write(json.loads(RESULTS.read_text()))


if __name__ == "__main__":
    main(sys.argv[1:])
