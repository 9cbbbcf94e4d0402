"""The log file that PostgreSQL and its supervisor write: kept small, and read after a failure.

Rotates only at a start: while the server runs it owns the open file.
"""

import re
from pathlib import Path

LARGEST = 4 * 1024 * 1024
TAIL = 64 * 1024
LINES = 3
# "2026-01-31 12:00:00.000 UTC [123] " before a message of the server.
PREFIX = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\S* \S+ \[\d+\] ")
# What is wrong in a configuration file is only a LOG message, before a FATAL one without details.
TELLING = re.compile(
    r"\b(FATAL|PANIC|ERROR|HINT|DETAIL)\b|[Ee]rror\b"
    r"|could not|cannot|not exist|unrecognized|invalid|requires|outside the valid range"
)


def rotate(log: Path) -> None:
    """Put a large log aside as `postgres.log.1`, instead of the one before."""
    if log.exists() and log.stat().st_size > LARGEST:
        log.replace(log.with_name(log.name + ".1"))


def size(log: Path) -> int:
    """Where the next line of the log will begin."""
    return log.stat().st_size if log.exists() else 0


def last_words(log: Path, start: int) -> str:
    """On one line, the last lines since `start` that tell what went wrong."""
    with log.open("rb") as file:
        file.seek(max(start, size(log) - TAIL))
        text = file.read().decode(errors="replace")
    lines = [PREFIX.sub("", line).strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if TELLING.search(line)] or lines
    return "; ".join(" ".join(line.split()) for line in telling[-LINES:]) or "it said nothing"
