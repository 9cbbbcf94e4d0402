"""A whole installation of the product as real processes, on a database of its own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import make_conninfo

from integration_alerts.engine.postgres import EmbeddedPostgres

Value = TypeVar("Value")
PATIENCE = 30.0

DIRECTORY: list[dict[str, Any]] = [
    {"type": "account", "id": "acme", "name": "Acme", "time_zone": "Europe/Berlin"},
    {"type": "company", "account": "acme", "id": "north", "name": "North"},
    {"type": "company", "account": "acme", "id": "south", "name": "South"},
    {
        "type": "user", "account": "acme", "id": "ada", "email": "ada@acme.example",
        "name": "Ada", "role": "administrator",
    },
    {
        "type": "user", "account": "acme", "id": "max", "email": "max@acme.example",
        "name": "Max", "role": "manager", "companies": ["north"],
    },
    {
        "type": "user", "account": "acme", "id": "rita", "email": "rita@acme.example",
        "name": "Rita", "role": "reporting", "companies": ["north", "south"],
    },
    {"type": "subscription", "account": "acme", "user": "ada", "companies": "all"},
    {"type": "subscription", "account": "acme", "user": "max", "companies": "all"},
]  # fmt: skip
"""Ada hears of everything, Max of North only, Rita of nothing."""


def crowd(count: int) -> list[dict[str, Any]]:
    """DIRECTORY with so many people who hear of North: one failure makes a mail for each."""
    lines = list(DIRECTORY)
    for number in range(count - 2):  # Ada and Max
        user = f"user-{number}"
        lines += [
            {
                "type": "user", "account": "acme", "id": user, "name": user,
                "email": f"{user}@acme.example", "role": "administrator",
            },
            {"type": "subscription", "account": "acme", "user": user, "companies": "all"},
        ]  # fmt: skip
    return lines


@dataclass(frozen=True)
class Reply:
    """An HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.body)


class Installation:
    """Starts web, workers and commands on one database, and ends whatever it started."""

    def __init__(
        self, folder: Path, database_url: str | None, *, key: str | None = None, **environment: str
    ) -> None:
        """`key`: the secret of a platform key that the database knows."""
        self.folder = folder
        self.environment = {
            **{key: value for key, value in os.environ.items() if key != "DATABASE_URL"},
            "DATA_DIR": str(folder),
            "SECRET_KEY": "tests",
            "GROUP_WAIT": "0",  # mails go at once
            "GROUP_INTERVAL": "0",
            **({"DATABASE_URL": database_url} if database_url else {}),
            **environment,
        }
        self.database_url = database_url
        self.processes: list[subprocess.Popen[str]] = []
        self._key = key

    def command(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "integration_alerts", *arguments],
            env=self.environment, input=stdin, capture_output=True, text=True, timeout=120,
            check=False,
        )  # fmt: skip

    def start(self, *arguments: str, on: Sequence[str] = ()) -> subprocess.Popen[str]:
        """Start a process that stays; its output is in `folder/<first argument>-<n>.log`.

        `on` is put before its command line, such as `ip netns exec name`.
        """
        log = self.folder / f"{arguments[0]}-{len(self.processes)}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [*on, sys.executable, "-m", "integration_alerts", *arguments],
                env=self.environment, stdout=output, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def logs(self) -> str:
        """Everything that the processes have written."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def web(self, *arguments: str) -> str:
        """Start a web process; returns its address once it answers."""
        port = free_port()
        process = self.start(*(arguments or ("web",)), "--bind", f"127.0.0.1:{port}")
        address = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            assert process.poll() is None, self.logs()
            with contextlib.suppress(urllib.error.URLError, ConnectionError):
                return get(f"{address}/healthz").status == 200
            return False

        wait_for(answers, what=lambda: f"the web process to answer\n{self.logs()}")
        return address

    def worker(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a worker; returns once its heartbeat is there."""
        before = self.workers()
        process = self.start("worker", *arguments)
        wait_for(
            lambda: self.workers() > before, what=lambda: f"a worker's heartbeat\n{self.logs()}"
        )
        return process

    def workers(self) -> int:
        """How many workers are signed on."""
        return int(self.query("SELECT count(*) FROM worker")[0][0])

    def key(self) -> str:
        """A platform key."""
        if self._key is None:
            made = self.command("apikey", "create", "--name", "tests")
            assert made.returncode == 0, made.stderr
            self._key = made.stdout.strip()
        return self._key

    def import_directory(self, lines: Iterable[dict[str, Any]] = DIRECTORY) -> None:
        """Import directory lines by the command."""
        done = self.command("import", "-", stdin=ndjson(lines))
        assert done.returncode == 0, done.stderr

    def post(self, address: str, path: str, value: Any, *, key: str | None = None) -> Reply:
        """POST JSON with an API key."""
        return post(f"{address}/api/v1/{path}", json.dumps(value).encode(), key or self.key())

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Rows straight from the database, the embedded one included while it runs."""
        with psycopg.connect(self.database_url or self._embedded) as connection:
            return connection.execute(sql, parameters).fetchall()  # type: ignore[arg-type]

    @property
    def _embedded(self) -> str:
        return make_conninfo(**EmbeddedPostgres(self.folder).conninfo)

    def close(self) -> None:
        """End every process that is still there."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def failed(
    integration: str = "ads", *, ago: timedelta = timedelta(0), **more: Any
) -> dict[str, Any]:
    """A report that an integration of North failed some time ago."""
    return report("failed", integration, ago=ago, **more)


def report(
    state: str, integration: str = "ads", *, ago: timedelta = timedelta(0), **more: Any
) -> dict[str, Any]:
    """A report about an integration of North; its event id is new unless given."""
    return {
        "id": f"{integration}-{time.time_ns()}",
        "account": "acme",
        "company": "north",
        "integration": integration,
        "state": state,
        "occurred_at": (datetime.now(UTC) - ago).isoformat(),
        **more,
    }


def get(url: str, key: str | None = None) -> Reply:
    """GET, whatever the status."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return _send(urllib.request.Request(url, headers=headers))


def post(url: str, body: bytes, key: str | None, content_type: str = "application/json") -> Reply:
    """POST bytes, whatever the status."""
    headers = {"Content-Type": content_type}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    return _send(urllib.request.Request(url, body, headers))


def ndjson(lines: Iterable[dict[str, Any]]) -> str:
    """One JSON value a line."""
    return "".join(json.dumps(line) + "\n" for line in lines)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(
    look: Callable[[], Value], *, what: Callable[[], str] | str, patience: float = PATIENCE
) -> Value:
    """Look until there is something; fail with what was waited for."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        waited_for = what if isinstance(what, str) else what()
        assert time.monotonic() < deadline, f"waited {patience} s for {waited_for}"
        time.sleep(0.02)
    return found


def _send(request: urllib.request.Request) -> Reply:
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return Reply(response.status, dict(response.headers), response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, dict(error.headers), error.read())
