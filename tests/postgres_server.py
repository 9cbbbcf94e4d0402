"""A PostgreSQL server over TCP, as on a machine of its own, and streaming replicas of it.

Unlike the embedded one it belongs to the test alone: it may be cut off, stopped, paused and copied.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from tests.installation import wait_for

from integration_alerts.engine.postgres.binaries import find_binaries

ROLE = "integration_alerts"
# PostgreSQL refuses root; in a user namespace root is somebody else, as with the embedded one.
_AS_SOMEBODY = ["unshare", "--user", "--map-user=1", "--map-group=1"] if os.geteuid() == 0 else []


class PostgresServer:
    """Started by `with`; `prefix` is put before its command line, such as `ip netns exec name`."""

    def __init__(
        self, folder: Path, host: str, port: int, *, prefix: Sequence[str] = (), fsync: bool = False
    ) -> None:
        self.folder, self.host, self.port = folder, host, port
        self._cluster = folder / "cluster"
        self._prefix = list(prefix)
        self._fsync = fsync
        binaries = os.environ.get("POSTGRES_BIN")
        self._programs = find_binaries(Path(binaries) if binaries else None, None).folder
        self._process: subprocess.Popen[bytes] | None = None
        self._last_error = ""

    def __enter__(self) -> Self:
        if not self._cluster.exists():
            self._run("initdb", f"--pgdata={self._cluster}", f"--username={ROLE}", "--auth=trust",
                      "--encoding=UTF8", "--locale=C", "--no-sync")  # fmt: skip
            with (self._cluster / "pg_hba.conf").open("a") as access:
                access.write("host all all 0.0.0.0/0 trust\nhost replication all 0.0.0.0/0 trust\n")
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        shutil.rmtree(self._cluster, ignore_errors=True)

    def url(self, name: str = "postgres") -> str:
        """The URL of one of its databases."""
        return f"postgresql://{ROLE}@{self.host}:{self.port}/{name}"

    def start(self) -> None:
        """Start it, again after `stop`."""
        settings = {
            "listen_addresses": self.host,
            "port": self.port,
            "unix_socket_directories": "",
            "fsync": "on" if self._fsync else "off",
            "timezone": "UTC",
            "wal_keep_size": "256MB",
        }
        command = [self._program("postgres"), "-D", str(self._cluster)]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = (self.folder / "postgres.log").open("ab")
        self._process = subprocess.Popen(
            [*self._prefix, *_AS_SOMEBODY, *command], stdout=log, stderr=log
        )
        log.close()
        wait_for(self._answers, what=self._log)

    def stop(self) -> None:
        """Stop it at once; what was committed stays."""
        if self._process is not None and self._process.poll() is None:
            self.signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to its first process."""
        assert self._process is not None
        self._process.send_signal(number)

    def create_database(self, name: str) -> str:
        """Make a database; returns its URL."""
        self.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        """Run one statement in the database `postgres`."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
            return cursor.fetchall() if cursor.description else []

    def replica(self, folder: Path, port: int) -> "PostgresServer":
        """A streaming replica of this server, made but not started."""
        made = PostgresServer(folder, self.host, port)
        self._run("pg_basebackup", f"--pgdata={made._cluster}", f"--dbname={self.url()}",
                  "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
                  "--wal-method=stream")  # fmt: skip
        return made

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._log()
        try:
            psycopg.connect(self.url(), connect_timeout=10).close()
        except psycopg.OperationalError as error:
            self._last_error = str(error)
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._prefix, *_AS_SOMEBODY, self._program(program), *arguments],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def _program(self, name: str) -> str:
        return str(self._programs / name)

    def _log(self) -> str:
        path = self.folder / "postgres.log"
        return (
            f"PostgreSQL to answer\n{self._last_error}\n{path.read_text() if path.exists() else ''}"
        )
