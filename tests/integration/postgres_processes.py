"""What the tests of the embedded PostgreSQL share: its users as processes, and their traces."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

import integration_alerts
from integration_alerts.engine.postgres import EmbeddedPostgres, server
from integration_alerts.engine.postgres.binaries import Binaries, _installed
from integration_alerts.engine.postgres.children import environment
from integration_alerts.engine.postgres.folders import Folders

SOURCE = Path(integration_alerts.__file__).parents[1]
PATIENCE = 15.0
# A user of the database until its stdin ends; says "ready" or the error.
USER = """
import sys
from pathlib import Path
sys.path += sys.argv[1].split(":")
from integration_alerts.engine.postgres import EmbeddedPostgres, EmbeddedPostgresError
try:
    with EmbeddedPostgres(Path(sys.argv[2]), durable=False):
        print("ready", flush=True)
        sys.stdin.read()
except EmbeddedPostgresError as error:
    print(error, flush=True)
"""


def programs(major: int) -> Binaries | None:
    """The installed PostgreSQL of that major version."""
    return next((found for found in _installed() if found.major == major), None)


def query(user: EmbeddedPostgres, statement: str) -> tuple[Any, ...]:
    """The first row of a statement, which is committed."""
    with psycopg.connect(**user.conninfo) as connection:  # type: ignore[arg-type]
        cursor = connection.execute(statement.encode())
        return (cursor.fetchone() or ()) if cursor.description else ()


def postmaster(data: Path) -> int:
    """The id of the running server's first process."""
    return int((Folders.of(data).cluster / "postmaster.pid").read_text().split()[0])


def supervisor(data: Path) -> int:
    """The id of the running server's supervisor."""
    return int(Folders.of(data).supervisor_lock.read_text())


def eventually(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def processes_of(folder: Path) -> list[str]:
    """The command lines of the supervisors and servers below that folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (path / "cmdline").read_bytes().replace(b"\0", b" ")
            home = os.fsencode((path / "cwd").readlink())
            program = (path / "comm").read_text().strip()
            concerned = program in ("postgres", "initdb") or b"supervise.py" in command
            if concerned and os.fsencode(folder) in home + command:
                found.append(f"{path.name} {command.decode(errors='replace')}")
    return found


def gone(data: Path) -> bool:
    """Whether nothing of the server is left in time."""
    return eventually(lambda: not processes_of(data))


class User(subprocess.Popen[str]):
    """A process that uses the database of a data folder."""

    def __init__(
        self, data: Path, prelude: str = "", python: str = sys.executable, **options: Any
    ) -> None:
        packages = ":".join([str(SOURCE), *(path for path in sys.path if "packages" in path)])
        super().__init__(
            [python, "-c", prelude + USER, packages, str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **options,
        )

    def word(self) -> str:
        """What it says next: "ready", or an error."""
        assert self.stdout is not None
        return self.stdout.readline().strip()

    def end(self) -> None:
        """Let it release the database and exit."""
        self.communicate(timeout=PATIENCE)


@contextlib.contextmanager
def users(data: Path, count: int = 1, prelude: str = "", **options: Any) -> Iterator[list[User]]:
    """That many users at once, ended at the end of the block."""
    started = [User(data, prelude, **options) for _ in range(count)]
    try:
        yield started
    finally:
        for user in started:
            user.end()


def python_for(uid: int) -> str | None:
    """A Python that this OS user can run, for root to become that user with."""
    for candidate in (sys.executable, shutil.which("python3", path="/usr/local/bin:/usr/bin")):
        if candidate:
            check = [candidate, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                subprocess.run(check, user=uid, check=True, cwd="/")
                return candidate
    return None


def kill(process_id: int) -> None:
    """SIGKILL."""
    os.kill(process_id, signal.SIGKILL)


def measure_supervisors(patch: Any) -> None:
    """Have coverage, when it measures this process, measure the supervisors as well."""
    measured = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    if measured:
        patch.setattr(server, "PYTHON_OPTIONS", ("-P",))
        patch.setattr(server, "environment", lambda: {**environment(), **measured})
