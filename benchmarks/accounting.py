"""What processes use: CPU time and memory of whole process trees, from /proc (Linux).

A tree is counted with what has ended in it: the kernel adds a child's time to its parent's when the
parent reaps it, which is how the many short processes of PostgreSQL are not forgotten.
"""

import os
from collections.abc import Collection, Iterable
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
# Fields of /proc/<pid>/stat behind the name: parent, and the times of itself and of ended children.
_PARENT = 1
_TIMES = slice(11, 15)
_KILOBYTES = 1024


def tree(roots: Iterable[int]) -> set[int]:
    """The processes that live now: `roots` and everything below them."""
    children: dict[int, list[int]] = {}
    for pid in _processes():
        if fields := _stat(pid):
            children.setdefault(int(fields[_PARENT]), []).append(pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def cpu_seconds(roots: Iterable[int]) -> float:
    """CPU time of these trees since they began, user and system, with their ended children.

    In steps of the kernel's clock tick (10 ms); two readings give what was used between them.
    """
    ticks = sum(
        sum(map(int, fields[_TIMES])) for pid in tree(roots) if (fields := _stat(pid)) is not None
    )
    return ticks / _TICKS


def proportional_megabytes(roots: Collection[int]) -> float:
    """Proportional set size of these trees in MB: pages that several share are divided."""
    kilobytes = sum(_proportional_kilobytes(pid) for pid in tree(roots))
    return kilobytes / _KILOBYTES


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208 (often)


def _stat(pid: int) -> list[str] | None:
    try:
        text = Path("/proc", str(pid), "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None  # ended meanwhile
    return text.rpartition(")")[2].split()


def _proportional_kilobytes(pid: int) -> int:
    try:
        text = Path("/proc", str(pid), "smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0
