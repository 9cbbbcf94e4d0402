"""The embedded PostgreSQL when something is killed, left behind, or belongs to somebody else."""

import os
import platform
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.integration.postgres_processes import (
    SOURCE,
    eventually,
    gone,
    kill,
    measure_supervisors,
    postmaster,
    processes_of,
    python_for,
    query,
    supervisor,
    users,
)

from integration_alerts.engine.postgres import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    cluster,
    locks,
    server,
)
from integration_alerts.engine.postgres.folders import SOCKET_NAME, Folders, socket_directory

NOBODY = 65534
ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root can act as another user")
# Another user runs our code and the wheel's programs from where they lie.
needs_open_clone = pytest.mark.skipif(
    not all(folder.stat().st_mode & 0o001 for folder in (SOURCE, *SOURCE.parents)),
    reason="this clone lies in a folder that other users may not enter",
)
# A seccomp filter that makes unshare() fail with EPERM, as container engines do by default.
UNSHARE = {"x86_64": 272, "aarch64": 97}.get(platform.machine())
NO_NAMESPACES = f"""
import ctypes, struct
steps = [(0x20, 0, 0, 0), (0x15, 0, 1, {UNSHARE}), (0x06, 0, 0, 0x50001), (0x06, 0, 0, 0x7fff0000)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
program = struct.pack("HL", len(steps), ctypes.addressof(code))
assert ctypes.CDLL(None).prctl(22, 2, program) == 0
"""


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    measure_supervisors(monkeypatch)
    yield
    assert gone(tmp_path), processes_of(tmp_path)


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that every OS user can reach; pytest's own is private to who runs it."""
    folder = Path(tempfile.mkdtemp(prefix="integration-alerts-test-"))
    folder.chmod(0o755)
    yield folder
    assert gone(folder), processes_of(folder)
    shutil.rmtree(folder)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def user(data: Path) -> Iterator[EmbeddedPostgres]:
    """A user of a durable database in which one row is committed."""
    with EmbeddedPostgres(data) as user:
        query(user, "CREATE TABLE kept AS SELECT 42 AS answer")
        yield user


def assert_nothing_lost(user: EmbeddedPostgres) -> None:
    assert user.alive()
    assert query(user, "SELECT answer FROM kept") == (42,)


def test_a_killed_user_has_released(data: Path) -> None:
    with users(data) as [staying]:
        assert staying.word() == "ready"
        with users(data) as [killed]:
            assert killed.word() == "ready"
            killed.kill()
        assert eventually(lambda: processes_of(data))
    assert gone(data)


def test_the_server_ends_when_all_its_users_are_killed(data: Path) -> None:
    with users(data, 3) as killed:
        assert {user.word() for user in killed} == {"ready"}
        for user in killed:
            user.kill()
        assert gone(data)


def test_the_server_ends_when_its_starter_is_killed_while_it_starts(data: Path) -> None:
    with users(data) as [killed]:
        assert eventually(Folders.of(data).unfinished_cluster.exists)
        killed.kill()
        assert gone(data)
    with EmbeddedPostgres(data) as user:
        assert query(user, "SELECT 1") == (1,)


@pytest.mark.parametrize("victim", [supervisor, postmaster])
def test_nothing_is_lost_when_the_server_is_killed(
    data: Path, user: EmbeddedPostgres, victim: object
) -> None:
    assert callable(victim)
    kill(victim(data))
    assert eventually(lambda: not user.alive())
    user.acquire()
    assert_nothing_lost(user)


@pytest.mark.parametrize("victim", [supervisor, postmaster])
def test_acquire_right_after_a_kill_gets_a_server_that_stays(
    data: Path, user: EmbeddedPostgres, victim: object
) -> None:
    assert callable(victim)
    for _ in range(3):
        kill(victim(data))
        assert eventually(lambda: not user.alive())
        with EmbeddedPostgres(data) as another:
            assert_nothing_lost(another)
            assert user.alive()


def test_a_supervisor_that_is_told_to_end_shuts_the_server_down_cleanly(
    data: Path, user: EmbeddedPostgres
) -> None:
    os.kill(supervisor(data), signal.SIGTERM)
    assert eventually(lambda: not user.alive())
    user.acquire()
    assert_nothing_lost(user)
    log = Folders.of(data).log.read_text()
    assert "database system is shut down" in log
    assert "automatic recovery in progress" not in log


def test_a_busy_backend_of_a_killed_server_is_ended_before_the_next_start(
    data: Path, user: EmbeddedPostgres
) -> None:
    connection = psycopg.connect(**user.conninfo)  # type: ignore[arg-type]

    def be_busy() -> None:
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT count(*) FROM generate_series(1, 100000000000)")

    thread = threading.Thread(target=be_busy)
    thread.start()
    time.sleep(0.3)
    kill(postmaster(data))
    assert eventually(lambda: not user.alive())
    assert processes_of(data)
    user.acquire()
    assert_nothing_lost(user)
    thread.join()
    connection.close()


def test_a_kill_in_the_middle_of_initdb_leaves_nothing_half_made(data: Path) -> None:
    folders = Folders.of(data)
    with users(data) as [first]:
        assert eventually((folders.unfinished_cluster / "global").exists)
        kill(supervisor(data))
        # The starter notices and tries again by itself.
        assert first.word() == "ready"
        assert not folders.unfinished_cluster.exists()
        assert folders.cluster.exists()


@pytest.mark.parametrize("process_id", [os.getpid(), 2**22 - 1], ids=["reused", "free"])
def test_a_stale_pid_file_does_not_block_the_start(data: Path, process_id: int) -> None:
    folders = Folders.of(data)
    with EmbeddedPostgres(data) as user:
        query(user, "CREATE TABLE kept AS SELECT 42 AS answer")
        stale = (folders.cluster / "postmaster.pid").read_text()
        socket_lock = (folders.socket / f"{SOCKET_NAME}.lock").read_text()
    assert gone(data)
    for path, text in (
        (folders.cluster / "postmaster.pid", stale),
        (folders.socket / f"{SOCKET_NAME}.lock", socket_lock),
    ):
        path.write_text("\n".join([str(process_id), *text.split("\n")[1:]]))
    (folders.socket / SOCKET_NAME).touch()
    with user:
        assert_nothing_lost(user)


@needs_root
@needs_open_clone
def test_an_ordinary_user_has_a_server_of_its_own(open_folder: Path) -> None:
    (open_folder / "theirs").mkdir()
    os.chown(open_folder / "theirs", NOBODY, NOBODY)
    python = python_for(NOBODY)
    if python is None:
        pytest.skip("no Python 3.11 or later that another user can run")
    ordinary: dict[str, Any] = {
        "python": python,
        "user": NOBODY,
        "group": NOBODY,
        "extra_groups": [],
        "cwd": "/",
    }
    data = open_folder / "theirs" / "data"
    with users(data, **ordinary) as [user], EmbeddedPostgres(open_folder / "ours") as root:
        assert user.word() == "ready"
        assert query(root, "SELECT 1") == (1,)
        assert Path(f"/proc/{postmaster(data)}").stat().st_uid == NOBODY
        assert Path(f"/proc/{postmaster(open_folder / 'ours')}").stat().st_uid == 0


@needs_root
@needs_open_clone
@pytest.mark.skipif(UNSHARE is None, reason="no seccomp filter for this kind of machine")
def test_root_runs_it_as_nobody_where_namespaces_are_forbidden_and_back(open_folder: Path) -> None:
    data = open_folder / "data"
    with users(data, prelude=NO_NAMESPACES) as [user]:
        assert user.word() == "ready"
        assert Path(f"/proc/{postmaster(data)}").stat().st_uid == NOBODY
        with EmbeddedPostgres(data) as joining:
            assert query(joining, "CREATE TABLE kept AS SELECT 42 AS answer") == ()
    assert gone(data)
    with EmbeddedPostgres(data) as user_again:
        assert Path(f"/proc/{postmaster(data)}").stat().st_uid == 0
        assert_nothing_lost(user_again)
    assert gone(data)
    with users(data, prelude=NO_NAMESPACES) as [user]:
        assert user.word() == "ready"


@needs_root
@needs_open_clone
@pytest.mark.skipif(UNSHARE is None, reason="no seccomp filter for this kind of machine")
def test_says_which_folder_nobody_may_not_enter(open_folder: Path) -> None:
    closed = open_folder / "closed"
    closed.mkdir(mode=0o700)
    with users(closed / "data", prelude=NO_NAMESPACES) as [user]:
        message = user.word()
    assert "as nobody" in message
    assert f"may not enter {closed}:" in message
    assert closed.stat().st_mode & 0o777 == 0o700


def test_refuses_the_folder_of_somebody_else(tmp_path: Path) -> None:
    folder = tmp_path if ROOT else Path("/usr")
    if ROOT:
        os.chown(tmp_path, NOBODY, NOBODY)
    with pytest.raises(EmbeddedPostgresError, match=rf"^{folder} belongs to .* but this is user"):
        EmbeddedPostgres(folder).acquire()


@needs_root
def test_refuses_a_socket_directory_of_another_user(data: Path) -> None:
    deep = data / ("d" * 120)
    socket_directory(deep).mkdir()
    os.chown(socket_directory(deep), NOBODY, NOBODY)
    try:
        with pytest.raises(EmbeddedPostgresError, match=r"belongs to .* remove it$"):
            EmbeddedPostgres(deep).acquire()
    finally:
        socket_directory(deep).rmdir()


def test_refuses_a_folder_that_cannot_be_made_or_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedPostgresError, match=r"^cannot use the data folder .*/file/data"):
        EmbeddedPostgres(tmp_path / "file" / "data").acquire()
    with pytest.raises(EmbeddedPostgresError, match=r"is not a folder that this user can"):
        EmbeddedPostgres(tmp_path / "file").acquire()


def test_a_start_that_is_told_to_end_leaves_nothing_and_is_tried_again(data: Path) -> None:
    folders = Folders.of(data)
    with users(data) as [starter]:
        assert eventually(folders.unfinished_cluster.exists)
        told = supervisor(data)
        os.kill(told, signal.SIGTERM)
        assert starter.word() == "ready"
        assert supervisor(data) != told
        assert not folders.unfinished_cluster.exists()


def test_a_lock_that_is_never_given_back_is_named(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "STOP_SECONDS", 0.1)
    folders = Folders.of(data)
    folders.prepare()
    with (
        locks.held(folders.users_lock, locks.EXCLUSIVE, 0),
        pytest.raises(EmbeddedPostgresError, match=rf"holds {folders.users_lock} for more than"),
    ):
        EmbeddedPostgres(data).acquire()


def test_gives_up_on_a_supervisor_that_never_gets_as_far_as_a_word(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "PYTHON_OPTIONS", ("-c", "pass"))
    with pytest.raises(EmbeddedPostgresError, match=r"^PostgreSQL ends right after .*postgres.log"):
        EmbeddedPostgres(data).acquire()


def test_refuses_a_database_folder_that_was_made_by_another_means(data: Path) -> None:
    folders = Folders.of(data)
    folders.prepare()
    folders.cluster.mkdir()
    (folders.cluster / "PG_VERSION").write_text("not a number\n")
    with pytest.raises(EmbeddedPostgresError, match=r"^cannot read the version of the database"):
        EmbeddedPostgres(data).acquire()


@pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="needs /proc")
def test_leaves_a_server_alone_that_was_started_by_other_means(
    data: Path, user: EmbeddedPostgres
) -> None:
    folders = Folders.of(data)
    before = (folders.cluster / "postmaster.pid").read_text()
    with pytest.raises(
        EmbeddedPostgresError, match=rf"\(pid {postmaster(data)}\) .* stop it first"
    ):
        cluster.clear_stale_files(folders)
    assert (folders.cluster / "postmaster.pid").read_text() == before
    assert_nothing_lost(user)
