"""The embedded server as its users see it: acquire, use, release.

Every user holds a shared lock that the supervisor waits to get exclusively, so a user that is
killed has released. A process forked without exec shares its parent's lock: the server stays
until both have ended or released. Programs that a user starts do not inherit the lock.
"""

import os
import select
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType

from integration_alerts.engine.postgres import cluster, locks, logfile, supervise, wire
from integration_alerts.engine.postgres.binaries import find_binaries
from integration_alerts.engine.postgres.children import environment
from integration_alerts.engine.postgres.errors import EmbeddedPostgresError
from integration_alerts.engine.postgres.folders import (
    SOCKET_NAME,
    Folders,
    check_socket_directory,
)

# Isolated and without site-packages: fast to start, and deaf to PYTHON* variables.
PYTHON_OPTIONS = ("-I", "-S")
MAINTENANCE_DATABASE = "postgres"
# Longer than the supervisor needs at worst, so that its own message comes first.
START_SECONDS = supervise.START_SECONDS + supervise.STOP_SECONDS
STOP_SECONDS = supervise.STOP_SECONDS + 10
STARTS = 5
PAUSE = 0.01
GRACE = 0.1


class EmbeddedPostgres:
    """One user of the server of `data_dir`. Threads may share it; acquiring twice is once.

    `durable` and `binaries` only matter to the one that starts the server. After an error of
    `acquire` this is no user any more.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        binaries: Path | None = None,
        durable: bool = True,
        database: str = cluster.ROLE,
    ) -> None:
        self._folders = Folders.of(data_dir)
        self._binaries = binaries
        self._durable = durable
        self._database = database
        self._guard = threading.Lock()
        self._users_lock: int | None = None

    def __enter__(self) -> "EmbeddedPostgres":
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release(wait=STOP_SECONDS)

    @property
    def conninfo(self) -> dict[str, str]:
        """How to connect; known before the server runs."""
        return {
            "host": str(self._folders.socket),
            "user": cluster.ROLE,
            "dbname": self._database,
        }

    def acquire(self) -> None:
        """Start the server or join the running one; returns when it answers queries."""
        with self._guard:
            try:
                self._acquire()
            except OSError as error:
                self._close()
                raise EmbeddedPostgresError(f"cannot start PostgreSQL: {error}") from error
            except BaseException:
                self._close()
                raise

    def release(self, *, wait: float = 0) -> None:
        """Stop being a user; the server stops when no user is left. May be called repeatedly.

        `wait` is for how many seconds to wait for the end of the server if this was its last user:
        what stops with the caller, such as a container, would cut its shutdown off.
        """
        with self._guard:
            was_user = self._users_lock is not None
            self._close()
        if was_user and wait:
            self._wait_for_end(wait)

    def alive(self) -> bool:
        """Whether this is a user and the server runs; cheap enough to ask every second."""
        return (
            self._users_lock is not None
            and locks.is_held(self._folders.supervisor_lock)
            and cluster.is_ready(cluster.state_file(self._folders))
        )

    def _acquire(self) -> None:
        new_data_folder = self._folders.prepare()
        if self._users_lock is None:
            self._users_lock = locks.take(self._folders.users_lock, locks.SHARED, STOP_SECONDS)
        # From here on no supervisor stops a server for want of users.
        with locks.held(self._folders.start_lock, locks.EXCLUSIVE, START_SECONDS) as start_lock:
            for _ in range(STARTS):
                if not locks.is_held(self._folders.supervisor_lock):
                    self._start(start_lock, new_data_folder=new_data_folder)
                if self._answers():
                    return
        raise EmbeddedPostgresError(
            f"PostgreSQL ends right after it has started: see {self._folders.log}"
        )

    def _wait_for_end(self, seconds: float) -> None:
        began = time.monotonic()
        while locks.is_held(self._folders.supervisor_lock):
            waited = time.monotonic() - began
            # Until the supervisor has got the users' lock, nobody can tell whether others hold it.
            others = waited > GRACE and not locks.is_held(self._folders.users_lock)
            if others or waited > seconds:
                return
            time.sleep(PAUSE)

    def _close(self) -> None:
        if self._users_lock is not None:
            os.close(self._users_lock)
            self._users_lock = None

    def _start(self, start_lock: int, *, new_data_folder: bool) -> None:
        folders = self._folders
        binaries = find_binaries(self._binaries, folders.cluster_major())
        logfile.rotate(folders.log)
        order = supervise.Order(folders, binaries, self._durable, new_data_folder)
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb", buffering=0) as status:
            try:
                self._launch(order, writer, start_lock)
            finally:
                os.close(writer)
            outcome = _read_line(status.fileno(), START_SECONDS)
        # No word at all: the supervisor was killed or told to end, and the caller tries again.
        if outcome not in ("", supervise.READY):
            raise EmbeddedPostgresError(outcome)

    def _launch(self, order: supervise.Order, status: int, start_lock: int) -> None:
        script = [sys.executable, *PYTHON_OPTIONS, supervise.__file__, *order.arguments()]
        log = os.open(order.folders.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            subprocess.run(  # noqa: S603 (this very interpreter)
                [*script, str(status), str(start_lock)],
                pass_fds=(status, start_lock),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=log,
                env=environment(),
                cwd="/",
                start_new_session=True,
                check=False,
            )
        finally:
            os.close(log)

    def _answers(self) -> bool:
        # False when the server is gone; waits for one that starts or stops.
        deadline = time.monotonic() + STOP_SECONDS
        reason = "no answer"
        while locks.is_held(self._folders.supervisor_lock):
            try:
                self._ensure_database()
            except (OSError, wire.RefusedError) as error:
                reason = str(error)
            else:
                return True
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL runs but does not answer: {reason} (see {self._folders.log})"
                )
            time.sleep(PAUSE)
        return False

    def _ensure_database(self) -> None:
        socket_directory = self._folders.socket
        check_socket_directory(socket_directory, self._folders.cluster.stat().st_uid)
        server = (socket_directory / SOCKET_NAME, cluster.ROLE, MAINTENANCE_DATABASE)
        name, text = self._database.replace('"', '""'), self._database.replace("'", "''")
        query = f"SELECT FROM pg_database WHERE datname = '{text}'"
        if wire.execute(*server, query) == 0:
            # Whoever loses a race for the same name asks again and finds it.
            wire.execute(*server, f'CREATE DATABASE "{name}"')


def _read_line(descriptor: int, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    received = b""
    while not received.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([descriptor], [], [], left)[0]:
            raise EmbeddedPostgresError(f"PostgreSQL is not ready after {seconds:.0f} seconds")
        part = os.read(descriptor, 4096)
        if not part:
            break
        received += part
    return received.decode().strip()
