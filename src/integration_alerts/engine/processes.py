"""Processes of this very machine: whether one is still there, and ending with one's parent.

Linux only; elsewhere nobody is judged, and an orphan has to be ended by hand.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)


def end_with_parent() -> None:
    """Have the kernel ask this process to stop when its parent is gone, however it ended."""
    if sys.platform != "linux":
        return
    parent = os.getppid()
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it went in between
        os.kill(os.getpid(), signal.SIGTERM)


def place() -> str:
    """Where process numbers mean what they mean here: this boot and process namespace, or ""."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return f"{boot} {namespace}"


def started(process_id: int) -> str:
    """When a process began, in ticks since boot; "" when there is none with this number.

    Together with the number it names one process: numbers are used again, this pair is not.
    """
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except OSError:
        return ""
    # The name of the program, in brackets, may hold anything; the fields after it are numbers.
    fields = status.rpartition(")")[2].split()
    return "" if fields[0] == "Z" else fields[19]  # proc(5): (3) state, (22) starttime
