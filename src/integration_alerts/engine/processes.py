"""Processes of this very machine: whether one is there, children, and ending with one's parent.

Linux only; elsewhere nobody is judged, and an orphan has to be ended by hand.
"""

import ctypes
import os
import signal
import sys
import traceback
from collections.abc import Callable
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


def in_a_child(work: Callable[[], str]) -> str:
    """Do work in a forked process, and return its answer: what it loads is gone with it.

    If it ends early, so does this process, with the same code. Only for a process with a single
    thread.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            end_with_parent()
            os.write(writer, work().encode())
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if status:
        code = os.waitstatus_to_exitcode(status)
        sys.exit(code if code > 0 else 128 - code)
    return answer


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
