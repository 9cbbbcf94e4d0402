"""Pruning at 10 million rows of history, and what reports and mails notice of it.

Three times the same load: nothing is pruned, a worker prunes with its pauses, the command prunes at
full speed. Each time the latency of batches of reports and of single mails is measured, and the
longest that anybody waited for a lock of the pruner. Everything on this machine, with `fsync` on.

`python -m benchmarks.retention [ROWS]` prints it; `retention(place)` returns the samples.
"""

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from tests.installation import Installation, report, wait_for
from tests.smtp_server import SmtpServer

from benchmarks.samples import say
from integration_alerts.engine.postgres import EmbeddedPostgres

ROWS = 10_000_000
SECONDS = 30
REPORTS = 100  # in a batch
Samples = dict[str, list[float]]

_KEEP = {"KEEP_HISTORY": "400", "KEEP_EMAILS": "400", "KEEP_MESSAGES": "90", "KEEP_RECEIPTS": "30"}
_KEEP_ALL = dict.fromkeys(_KEEP, "36500")


def retention(place: Path, rows: int = ROWS) -> Samples:
    """Measure it on an embedded database in `place`; `rows`: state changes to begin with."""
    samples: Samples = {}
    with SmtpServer() as smtp, EmbeddedPostgres(place) as embedded:
        conninfo = make_conninfo(**embedded.conninfo)
        installation = Installation(place, None, EMAIL_URL=f"smtp://127.0.0.1:{smtp.port}")
        try:
            installation.import_directory()
            fill(conninfo, rows)
            address = installation.web()
            load = _Load(installation, address, smtp, conninfo)
            load.run()  # warms up
            installation.environment |= _KEEP_ALL
            worker = installation.worker()
            samples |= load.measured("nothing is pruned")
            _end(worker)
            installation.environment |= _KEEP
            worker = installation.worker()
            _wait_for_pruning(conninfo)
            with _rate(conninfo, "a worker prunes", samples):
                samples |= load.measured("a worker prunes")
            _end(worker)
            installation.environment |= _KEEP_ALL
            installation.worker()
            installation.environment |= _KEEP
            installation.start("prune")
            _wait_for_pruning(conninfo)
            with _rate(conninfo, "pruned at full speed", samples):
                samples |= load.measured("pruned at full speed")
        finally:
            installation.close()
    return samples


def fill(conninfo: str, rows: int) -> None:
    """So many changes of a 20th as many integrations over 800 days, their event ids, and mails."""
    with psycopg.connect(conninfo, autocommit=True) as server:
        # Keys hold by construction; checking each of them would take most of the time.
        server.execute("SET session_replication_role = replica")
        server.execute("SET maintenance_work_mem = '512MB'")
        with _without_indexes(server, "state_change", "report_receipt"):
            for statement in _FILL:
                server.execute(statement.format(rows=rows))
        server.execute("VACUUM ANALYZE")
        server.execute("CHECKPOINT")


@contextmanager
def _without_indexes(server: psycopg.Connection, *tables: str) -> Iterator[None]:
    """Indexes that are made at the end are made by sorting; row by row takes many times as long."""
    indexes = server.execute(_PLAIN_INDEXES, [list(tables)]).fetchall()
    for name, _ in indexes:
        server.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        server.execute(definition)


class _Load:
    """A platform that reports, and people who are mailed, at a steady pace."""

    def __init__(
        self, installation: Installation, address: str, smtp: SmtpServer, conninfo: str
    ) -> None:
        self.installation, self.address = installation, address
        self.smtp, self.conninfo = smtp, conninfo
        self.number = 0

    def measured(self, what: str) -> Samples:
        """The latencies while this goes on, in milliseconds."""
        waits: list[float] = []
        ended = threading.Event()
        watcher = threading.Thread(target=_watch, args=(self.conninfo, waits, ended))
        watcher.start()
        batches, mails = self.run()
        ended.set()
        watcher.join()
        return {
            f"{what}: batch of {REPORTS} reports, ms": batches,
            f"{what}: report answered to mail accepted, ms": mails,
            f"{what}: longest wait for its locks, ms": [max(waits)],
        }

    def run(self) -> tuple[list[float], list[float]]:
        """Report for a while; each second one failure that is mailed to one person."""
        batches: list[float] = []
        mails: list[float] = []
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            self.number += 1
            state = ("failed", "active")[self.number % 2]
            quiet = [report(state, f"quiet-{each}", company="west") for each in range(REPORTS)]
            batches.append(_milliseconds(lambda: self._post(quiet)))  # noqa: B023
            if self.number % 4 == 0 and self.installation.workers():
                mails.append(self._mail())
            time.sleep(0.1)
        return batches, mails

    def _mail(self) -> float:
        before = len(self.smtp.messages)
        self._post([report("failed", f"loud-{self.number}", company="south")])
        return _milliseconds(lambda: self.smtp.wait_for_messages(before + 1, timeout=60))

    def _post(self, reports: list[dict[str, object]]) -> None:
        answer = self.installation.post(self.address, "reports", reports)
        assert answer.status == 200, answer.body
        assert all(each["result"] == "applied" for each in answer.json), answer.body


def _watch(conninfo: str, waits: list[float], ended: threading.Event) -> None:
    """Note how long the longest wait for a lock of a pruner takes by now, again and again."""
    waits.append(0)
    with psycopg.connect(conninfo, autocommit=True) as server:
        while not ended.wait(0.02):
            ((longest,),) = server.execute(_LONGEST_WAIT).fetchall()
            waits.append(float(longest))


@contextmanager
def _rate(conninfo: str, what: str, samples: Samples) -> Iterator[None]:
    before, began = _pruned(conninfo), time.monotonic()
    yield
    samples[f"{what}: rows a second"] = [(_pruned(conninfo) - before) / (time.monotonic() - began)]


def _end(worker: subprocess.Popen[str]) -> None:
    worker.terminate()
    worker.wait()


def _wait_for_pruning(conninfo: str) -> None:
    before = _pruned(conninfo)
    wait_for(lambda: _pruned(conninfo) > before, patience=120, what="pruning to begin")


def _pruned(conninfo: str) -> int:
    """How many rows were deleted so far."""
    with psycopg.connect(conninfo) as server:
        ((count,),) = server.execute(_DELETED).fetchall()
    return int(count)


def _milliseconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


_DELETED = """
SELECT sum(n_tup_del) FROM pg_stat_user_tables
WHERE relname IN ('state_change', 'report_receipt', 'incident', 'notice', 'email', 'email_notice',
                  'delivery_attempt')"""

# The pruner is whoever holds the advisory lock 4202 of engine.retention.
_LONGEST_WAIT = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)) * 1000, 0)
FROM pg_locks WHERE NOT granted AND locktype <> 'advisory' AND pg_blocking_pids(pid) && ARRAY(
    SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = 4202)"""

_PLAIN_INDEXES = """
SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid::regclass::text = ANY(%s) AND NOT indisunique"""

_FILL = (
    "INSERT INTO company (account_id, external_id, name, active)"
    " SELECT id, 'west', 'West', true FROM account",
    # So a failure in South is mailed to Ada alone, and one in West to nobody.
    """
    UPDATE subscription SET covers_all = false
    """,
    """
    INSERT INTO covered_company (account_id, subscription_id, company_id)
    SELECT subscription.account_id, subscription.id, company.id
    FROM subscription JOIN company ON company.external_id = 'south'
    """,
    """
    INSERT INTO integration (account_id, company_id, external_id, name, provider, fix_url,
                             connection, state, state_since, reported_at, reason_code,
                             reason_message)
    SELECT account.id, company.id, 'filled-' || n, '', 'ads', '', '', 'active', now(), now(), '', ''
    FROM account, company, generate_series(1, {rows} / 20) n WHERE company.external_id = 'north'
    """,
    """
    INSERT INTO state_change (account_id, integration_id, event_id, state, occurred_at, received_at,
                              stale, reason_code, reason_message, actor)
    SELECT account.id, first.id + (n * 7919::bigint) % ({rows} / 20), 'filled-' || n,
           (ARRAY['failed', 'active'])[1 + n % 2], at, at, false, 'expired', 'It has expired.', ''
    FROM account, (SELECT min(id) AS id FROM integration WHERE external_id LIKE 'filled-%') first,
         generate_series(1, {rows}) n,
         LATERAL (SELECT now() - interval '800 days' * (1 - n::float8 / {rows}) AS at) AS moment
    """,
    """
    INSERT INTO report_receipt (account_id, event_id, received_at)
    SELECT account_id, event_id, received_at FROM state_change
    """,
    """
    INSERT INTO incident (account_id, integration_id, state, state_since, opened_at, closed_at)
    SELECT account_id, integration_id, 'failed', received_at, received_at,
           received_at + interval '1 hour'
    FROM state_change WHERE id % 20 = 0 AND received_at < now() - interval '2 hours'
    """,
    """
    INSERT INTO notice (account_id, incident_id, state, step, state_since, due_at, status,
                        planned_at)
    SELECT account_id, id, 'failed', 'alert', opened_at, opened_at, 'composed', opened_at
    FROM incident
    """,
    """
    INSERT INTO email (account_id, member_id, message_id, date, status, outcome_reason, ended_at,
                       subject, address, message, attempts, first_attempt_at)
    SELECT notice.account_id, member.id, '<filled-' || notice.id || '@x>', planned_at, 'sent', '',
           planned_at, 'It stopped working', member.email, decode(repeat(md5(notice.id::text), 60),
           'hex'), 1, planned_at
    FROM notice JOIN member ON member.external_id = 'ada'
    WHERE notice.account_id = member.account_id AND notice.id % 2 = 0
    ORDER BY planned_at
    """,
    """
    INSERT INTO email_notice (account_id, email_id, notice_id, member_id, company_id, released)
    SELECT email.account_id, email.id, split_part(split_part(message_id, '-', 2), '@', 1)::bigint,
           email.member_id, company.id, false
    FROM email JOIN company ON company.external_id = 'north'
    WHERE message_id LIKE '<filled%' AND company.account_id = email.account_id
    """,
    """
    INSERT INTO delivery_attempt (account_id, email_id, started_at, finished_at, address, phase,
                                  code, answer)
    SELECT account_id, id, ended_at, ended_at, address, 'acceptance', 250, '2.0.0 ok' FROM email
    WHERE message_id LIKE '<filled%'
    """,
)


def main(arguments: list[str]) -> None:
    """Measure with so many rows of history, and print it."""
    with tempfile.TemporaryDirectory(prefix="integration-alerts-bench-") as place:
        say(retention(Path(place), *map(int, arguments)))


if __name__ == "__main__":
    main(sys.argv[1:])
