"""What it was measured on: the facts that somebody needs who compares figures."""

import os
import platform
import statistics
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.filling import Connection, connect
from benchmarks.mail_servers import ROOT
from benchmarks.sites import Bench
from integration_alerts.engine.postgres import EmbeddedPostgres

_SYNCS = 50
_PAGE = b"\0" * 8192


def facts(bench: Bench) -> dict[str, Any]:
    """Processors, memory, disk, versions, and PostgreSQL's settings that are not its defaults."""
    folder, _ = bench.blank()
    with EmbeddedPostgres(folder) as postgres, connect(postgres) as connection:
        version, settings = _postgres(connection)
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "revision": _revision(),
        "processors": os.cpu_count(),
        "processor": _first(Path("/proc/cpuinfo"), "model name"),
        "memory_mb": int(_first(Path("/proc/meminfo"), "MemTotal").split()[0]) // 1024,
        "kernel": platform.release(),
        "file_system": _file_system(bench.place),
        "fsync_ms": round(_sync_milliseconds(bench.place), 3),
        "python": platform.python_version(),
        "postgresql": version,
        "postgresql_settings": settings,
    }


def _postgres(connection: Connection) -> tuple[str, dict[str, str]]:
    rows = connection.execute(_SETTINGS).fetchall()
    version = connection.execute("SHOW server_version").fetchone()
    assert version is not None
    return str(version[0]), dict(rows)


def _revision() -> str:
    git = ["git", "-C", str(ROOT)]
    try:
        revision = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        ).stdout.strip()
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--", "src"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return revision + ("+" if changed else "")


def _first(path: Path, field: str) -> str:
    for line in path.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == field:
            return value.strip()
    return "unknown 0"


def _file_system(place: Path) -> str:
    done = subprocess.run(
        ["stat", "--file-system", "--format=%T", str(place)],  # noqa: S607
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip() or "unknown"


def _sync_milliseconds(place: Path) -> float:
    """How long it takes to have a page written for good: the floor of every commit."""
    times = []
    with (place / "sync").open("wb", buffering=0) as file:
        for _ in range(_SYNCS):
            began = time.perf_counter()
            file.write(_PAGE)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


# Where files lie and who connects says nothing about speed.
_SETTINGS = """
SELECT name, setting || coalesce(' × ' || nullif(unit, ''), '') FROM pg_settings
WHERE source NOT IN ('default', 'override', 'client', 'session')
  AND name !~ '(directories|directory|_file|^port|^lc_|timezone|^log_|DateStyle|text_search)'
ORDER BY name"""
