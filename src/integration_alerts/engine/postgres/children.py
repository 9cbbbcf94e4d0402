"""Starts the programs of PostgreSQL so that they cannot outlive the supervisor.

Waits for them by polling; decides nothing about what their end means.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from integration_alerts.engine.postgres.accounts import Account

PR_SET_PDEATHSIG = 1
PAUSE = 0.005
KEPT_VARIABLES = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


class Child:
    """A running program; its exit status is collected once, by whichever method sees it first."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.exit_code: int | None = None

    def ended(self) -> bool:
        """Whether it has ended."""
        if self.exit_code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is not None

    def ended_within(self, seconds: float) -> bool:
        """Whether it ends within that time."""
        deadline = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() > deadline:
                return False
            time.sleep(PAUSE)
        return True

    def send(self, number: signal.Signals) -> None:
        """Signal it, unless it has ended."""
        if not self.ended():
            os.kill(self.pid, number)


def launch(
    command: Sequence[str | Path], account: Account, *, death_signal: signal.Signals, lock: int
) -> Child:
    """Run a program that gets `death_signal` when this process dies, and that holds `lock`.

    Only for a process with a single thread; the program writes to this process's stderr.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return Child(pid)
    try:
        account.enter()
        _die_with(parent, death_signal)
        os.set_inheritable(lock, True)  # noqa: FBT003 (the function takes it by position only)
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execve(command[0], [str(part) for part in command], environment())  # noqa: S606
    except BaseException as error:
        os.write(2, f"error: cannot run {command[0]}: {error}\n".encode(errors="replace"))
    finally:
        os._exit(127)


def environment() -> dict[str, str]:
    """What the programs see of the environment: no secrets, no PG* and no locale of the user."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def _die_with(parent: int, number: signal.Signals) -> None:
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    # The parent may have died before the line above.
    if os.getppid() != parent:
        os._exit(1)
