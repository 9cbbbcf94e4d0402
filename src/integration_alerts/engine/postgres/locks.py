"""flock locks on files: taken with a bound on the wait, given back by closing the descriptor.

A forked child shares the lock, and LOCK_UN ends it for both: only `held` does that.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from integration_alerts.engine.postgres.errors import EmbeddedPostgresError

SHARED = fcntl.LOCK_SH
EXCLUSIVE = fcntl.LOCK_EX
PAUSE = 0.01


def open_file(path: Path) -> int:
    """A descriptor to lock; the file is made when missing and belongs to this user only."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(path, flags, 0o600)


def attempt(descriptor: int, mode: int) -> bool:
    """Lock without waiting; False when others hold it."""
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait(descriptor: int, mode: int, seconds: float) -> bool:
    """Lock within `seconds`; False when others hold it all that time."""
    deadline = time.monotonic() + seconds
    while not attempt(descriptor, mode):
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True


def wait_forever(descriptor: int, mode: int) -> None:
    """Lock whenever it becomes possible, without using any time until then."""
    fcntl.flock(descriptor, mode)


def take(path: Path, mode: int, seconds: float) -> int:
    """Open and lock the file; raises when that takes more than `seconds`."""
    try:
        descriptor = open_file(path)
    except OSError as error:
        raise EmbeddedPostgresError(f"cannot open {path}: {error.strerror}") from error
    try:
        if wait(descriptor, mode, seconds):
            return descriptor
    except OSError as error:
        os.close(descriptor)
        raise EmbeddedPostgresError(f"cannot lock {path}: {error.strerror}") from error
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    raise EmbeddedPostgresError(
        f"another process holds {path} for more than {seconds:.0f} seconds: "
        "see which one with `fuser -v` on that file, and end it"
    )


@contextmanager
def held(path: Path, mode: int, seconds: float) -> Iterator[int]:
    """Hold the lock within a block, which gets the descriptor and may share it with a child.

    After an error a child keeps its share. Otherwise the lock ends for all, so also for a process
    that another thread forked meanwhile.
    """
    descriptor = take(path, mode, seconds)
    try:
        yield descriptor
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock exclusively right now."""
    try:
        descriptor = open_file(path)
    except OSError:
        return False
    try:
        return not attempt(descriptor, SHARED)
    finally:
        os.close(descriptor)
