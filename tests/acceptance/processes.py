"""Which processes run for an installation, whoever started them."""

import os
import subprocess
from pathlib import Path

from tests.installation import wait_for


def processes_of(folder: Path) -> dict[int, str]:
    """Every process that runs for the installation in this folder: its id and command line."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command, environment = (
                (process / name).read_bytes() for name in ("cmdline", "environ")
            )
            place = os.fsencode((process / "cwd").readlink())
        except OSError:
            continue  # it has ended, or belongs to somebody else
        if any(os.fsencode(folder) in fact for fact in (command, environment, place)):
            found[int(process.name)] = command.replace(b"\0", b" ").decode()
    return found


def wait_until_nothing_runs(folder: Path) -> None:
    wait_for(
        lambda: not processes_of(folder), what=lambda: f"nothing to run: {processes_of(folder)}"
    )


def copy_folder(source: Path, target: Path) -> None:
    """Copy a data folder with the owners of its files; nothing may run on it."""
    subprocess.run(["cp", "-a", f"{source}/.", str(target)], check=True)
