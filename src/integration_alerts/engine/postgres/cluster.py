"""The files of one cluster: makes them, clears what a crash left behind, reads the server's state.

Runs initdb and knows the command line of postgres; does not decide when to start or stop it.
"""

import contextlib
import locale
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

from integration_alerts.engine.postgres import logfile
from integration_alerts.engine.postgres.accounts import Account, give
from integration_alerts.engine.postgres.binaries import Binaries
from integration_alerts.engine.postgres.children import Child, launch
from integration_alerts.engine.postgres.errors import EmbeddedPostgresError
from integration_alerts.engine.postgres.folders import SOCKET_NAME, Folders

ROLE = "integration_alerts"
BUILTIN_LOCALE_SINCE = 17
IO_METHOD_SINCE = 18
SETTINGS = (
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "max_connections=100",
    "timezone=UTC",
    "log_timezone=UTC",
    # Statements here are short: compiling one costs more than running it.
    "jit=off",
    # For memory and solid-state disks: an index is used before a table is read through.
    "random_page_cost=1.1",
    # A process that nobody needs.
    "max_logical_replication_workers=0",
)
# Three processes fewer; what is read is in memory nearly always.
SETTINGS_SINCE_18 = ("io_method=sync",)
SCRATCH_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def create(
    folders: Folders,
    binaries: Binaries,
    account: Account,
    *,
    durable: bool,
    lock: int,
    attend: Callable[[Child], None],
) -> None:
    """Run initdb beside the cluster and rename its result: a cluster is complete or not there."""
    draft, log_start = folders.unfinished_cluster, logfile.size(folders.log)
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    give(draft, account)
    command = [str(binaries.folder / "initdb"), f"--pgdata={draft}", f"--username={ROLE}"]
    command += ["--auth=trust", "--encoding=UTF8", *_locale_options(binaries.major)]
    command += [] if durable else ["--no-sync"]
    initdb = launch(command, account, death_signal=signal.SIGKILL, lock=lock)
    attend(initdb)
    if initdb.exit_code != 0:
        raise EmbeddedPostgresError(
            f"cannot make the database: {logfile.last_words(folders.log, log_start)} "
            f"(see {folders.log})"
        )
    draft.rename(folders.cluster)
    _sync_names(folders.state)
    _sync_names(folders.data)


def server_command(folders: Folders, binaries: Binaries, *, durable: bool) -> list[str]:
    """How to call postgres on the cluster."""
    settings = [*SETTINGS, f"unix_socket_directories={folders.socket}"]
    settings += SETTINGS_SINCE_18 if binaries.major >= IO_METHOD_SINCE else ()
    settings += () if durable else SCRATCH_SETTINGS
    options = [part for setting in settings for part in ("-c", setting)]
    return [str(binaries.folder / "postgres"), "-D", str(folders.cluster), *options]


def state_file(folders: Folders) -> str:
    """The content of postmaster.pid, whose last line is the server's state; "" without one."""
    try:
        return (folders.cluster / "postmaster.pid").read_text(errors="replace")
    except OSError:
        return ""


def is_ready(state: str) -> bool:
    """Whether a server that wrote this state file accepts connections."""
    return state.rstrip().endswith("\nready")


def clear_stale_files(folders: Folders) -> None:
    """Remove what a dead server left, for who holds the server lock.

    PostgreSQL does it for a process id that is free, not for one that another program has now.
    """
    recorded = _recorded_pid(folders)
    if recorded and Path("/proc", str(recorded)).exists():
        if recorded in set(processes(folders)):
            raise EmbeddedPostgresError(
                f"a PostgreSQL that was started by other means (pid {recorded}) uses "
                f"{folders.cluster}: stop it first"
            )
        (folders.cluster / "postmaster.pid").unlink()
    _remove_socket(folders)


def leave(folders: Folders) -> None:
    """Remove what would stay outside the data folder; for who holds the server lock."""
    with contextlib.suppress(OSError):
        _remove_socket(folders)
        if folders.data not in folders.socket.parents:
            folders.socket.rmdir()


def processes(folders: Folders) -> Iterator[int]:
    """The ids of the PostgreSQL processes that work in the cluster.

    Without /proc the one in the state file, which is right as long as the server lock is held.
    """
    if not Path("/proc/self").exists():
        if recorded := _recorded_pid(folders):
            yield recorded
        return
    homes = (str(folders.cluster), str(folders.unfinished_cluster))
    for process in Path("/proc").glob("[0-9]*"):
        try:
            program = (process / "comm").read_text().strip()
            if program in ("postgres", "postmaster") and str((process / "cwd").readlink()) in homes:
                yield int(process.name)
        except OSError:
            continue


def _recorded_pid(folders: Folders) -> int | None:
    # Negative in the state file of a single-user server.
    text = state_file(folders).split("\n", 1)[0].lstrip("-")
    return int(text) if text.isdecimal() and text.isascii() else None


def _remove_socket(folders: Folders) -> None:
    for name in (SOCKET_NAME, f"{SOCKET_NAME}.lock"):
        (folders.socket / name).unlink(missing_ok=True)


def _locale_options(major: int) -> list[str]:
    # The C locale is the only one that every C library has; UTF-8 only decides what upper() and
    # lower() do beyond ASCII.
    if major >= BUILTIN_LOCALE_SINCE:
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    try:
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    except locale.Error:
        return ["--locale=C"]
    return ["--locale=C", "--lc-ctype=C.UTF-8"]


def _sync_names(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
