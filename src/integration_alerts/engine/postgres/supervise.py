"""The detached process that is the parent of one PostgreSQL, from its start to its last user.

Run as a script by `server`, with the standard library only. It does not restart a server that
died: it ends too, and the next `acquire` starts both.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

if __name__ == "__main__":
    # Isolated mode leaves the environment's paths out, and -S the site-packages.
    sys.path.append(str(Path(__file__).resolve().parents[3]))

from integration_alerts.engine.postgres import cluster, locks, logfile
from integration_alerts.engine.postgres.accounts import Account, Way, choose_account, give
from integration_alerts.engine.postgres.binaries import Binaries
from integration_alerts.engine.postgres.children import PAUSE, Child, launch
from integration_alerts.engine.postgres.errors import EmbeddedPostgresError
from integration_alerts.engine.postgres.folders import Folders, claim_socket_directory

START_SECONDS = 300.0
LEFTOVER_PATIENCE = 0.2
LEFTOVER_SECONDS = 20.0
# A fast shutdown writes a checkpoint; only a server that hangs gets the signals after it.
STOP_SIGNALS = ((signal.SIGINT, 60.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
STOP_SECONDS = sum(seconds for _, seconds in STOP_SIGNALS)
NO_USERS = signal.SIGUSR1
STOP_REQUESTS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
AWAITED = {signal.SIGCHLD, NO_USERS, *STOP_REQUESTS}
READY = "ready"


class InterruptedStartError(Exception):
    """A signal ended the supervisor or the server before it was ready."""


@dataclass(frozen=True)
class Order:
    """What to run; passed as the arguments of the script."""

    folders: Folders
    binaries: Binaries
    durable: bool
    new_data_folder: bool

    def arguments(self) -> list[str]:
        """The order as arguments."""
        flags = (str(int(flag)) for flag in (self.durable, self.new_data_folder))
        programs = self.binaries
        return [str(self.folders.data), str(programs.folder), str(programs.major), *flags]

    @classmethod
    def parse(cls, arguments: list[str]) -> "Order":
        """The order that became these arguments."""
        data, programs, major, durable, new_data_folder = arguments
        binaries = Binaries(Path(programs), int(major))
        return cls(Folders(Path(data)), binaries, durable == "1", new_data_folder == "1")


class Supervisor:
    """Starts PostgreSQL, waits for a reason to stop it, stops it."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._folders = order.folders

    def start(self) -> Child:
        """Take the locks, make the cluster if there is none, return when the server is ready."""
        _announce(self._folders)
        lock = _take_server_lock(self._folders)
        account = choose_account()
        self._admit(account)
        if self._folders.cluster_major() is None:
            cluster.create(
                self._folders,
                self._order.binaries,
                account,
                durable=self._order.durable,
                lock=lock,
                attend=_attend,
            )
        for folder in (self._folders.cluster, self._folders.socket):
            if folder.exists() and self._folders.data in folder.parents:
                give(folder, account)
        claim_socket_directory(self._folders.socket, account.uid, account.gid)
        cluster.clear_stale_files(self._folders)
        return self._start_server(account, lock)

    def serve(self, server: Child) -> None:
        """Return when the server has ended, by itself or because nobody needs it any more."""
        users = locks.open_file(self._folders.users_lock)
        threading.Thread(target=_watch_users, args=(users,), daemon=True).start()
        while not server.ended():
            if signal.sigwait(AWAITED) != signal.SIGCHLD:
                _stop(server)
        cluster.leave(self._folders)

    def _admit(self, account: Account) -> None:
        if account.way is Way.NOBODY:
            # Both were made by this application, for this account to pass.
            self._folders.state.chmod(0o711)
            if self._order.new_data_folder:
                self._folders.data.chmod(0o711)
        programs = self._order.binaries.folder
        closed = account.unreachable(programs / "postgres", self._folders.state)
        if closed:
            raise EmbeddedPostgresError(
                f"PostgreSQL runs {account.way.value}, and that may not enter {closed}: "
                "run this as an ordinary user, or give everybody the right to enter that folder"
            )

    def _start_server(self, account: Account, lock: int) -> Child:
        log, log_start = self._folders.log, logfile.size(self._folders.log)
        command = cluster.server_command(
            self._folders, self._order.binaries, durable=self._order.durable
        )
        stale = cluster.state_file(self._folders)
        server = launch(command, account, death_signal=signal.SIGQUIT, lock=lock)

        def ready() -> bool:
            state = cluster.state_file(self._folders)
            return state != stale and cluster.is_ready(state)

        try:
            _attend(server, ready)
        finally:
            if server.ended():
                cluster.leave(self._folders)
        if server.exit_code is not None and server.exit_code < 0:
            raise InterruptedStartError
        if server.ended():
            raise EmbeddedPostgresError(
                f"PostgreSQL does not start: {logfile.last_words(log, log_start)} (see {log})"
            )
        return server


def _announce(folders: Folders) -> None:
    # Never closed: the process holds it to its end. Others only look at it for an instant.
    descriptor = locks.take(folders.supervisor_lock, locks.EXCLUSIVE, 10)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)


def _take_server_lock(folders: Folders) -> int:
    # Processes of a server whose supervisor or postmaster was killed are about to end; what does
    # not (a backend busy in one long query) is told to.
    descriptor = locks.open_file(folders.server_lock)
    if locks.wait(descriptor, locks.EXCLUSIVE, LEFTOVER_PATIENCE):
        return descriptor
    leftovers = list(cluster.processes(folders))
    for pid in leftovers:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
    if locks.wait(descriptor, locks.EXCLUSIVE, LEFTOVER_SECONDS):
        return descriptor
    pids = ", ".join(map(str, leftovers)) or "unknown"
    raise EmbeddedPostgresError(
        f"processes of an earlier PostgreSQL on {folders.cluster} do not end (pids: {pids})"
    )


def _attend(child: Child, ready: Callable[[], bool] = lambda: False) -> None:
    # Until the child has ended or is ready; never longer than the starter is told to wait.
    deadline = time.monotonic() + START_SECONDS
    while not child.ended() and not ready():
        if signal.sigpending() & STOP_REQUESTS:
            _stop(child)
            raise InterruptedStartError
        if time.monotonic() > deadline:
            _stop(child)
            raise EmbeddedPostgresError(
                f"PostgreSQL is not ready after {START_SECONDS:.0f} seconds"
            )
        time.sleep(PAUSE)


def _watch_users(descriptor: int) -> None:
    # The lock is kept until this process has ended: who comes now waits and then starts anew.
    locks.wait_forever(descriptor, locks.EXCLUSIVE)
    os.kill(os.getpid(), NO_USERS)


def _stop(child: Child) -> None:
    for number, seconds in STOP_SIGNALS:
        child.send(number)
        if child.ended_within(seconds):
            return


def main(arguments: list[str]) -> None:
    """Detach, start, report on the status pipe, and stay until the server has ended."""
    *rest, status, start_lock = arguments
    if os.fork():
        # The starter reaps this process at once and has no child to look after.
        os._exit(0)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.pthread_sigmask(signal.SIG_BLOCK, AWAITED)
    for descriptor in (int(status), int(start_lock)):
        os.set_inheritable(descriptor, False)  # noqa: FBT003 (by position only)
    supervisor = Supervisor(Order.parse(rest))
    try:
        server = supervisor.start()
    except InterruptedStartError:
        # Without a word: whoever still wants the server starts it again.
        return
    except EmbeddedPostgresError as error:
        _report(int(status), str(error))
        return
    except OSError as error:
        _report(int(status), f"cannot start PostgreSQL: {error}")
        return
    _report(int(status), READY)
    os.close(int(start_lock))
    supervisor.serve(server)


def _report(status: int, line: str) -> None:
    # Nobody reads it when the starter was killed; then there is no user, and that ends the server.
    with contextlib.suppress(BrokenPipeError):
        os.write(status, " ".join(line.split()).encode(errors="replace") + b"\n")
    os.close(status)


if __name__ == "__main__":
    main(sys.argv[1:])
