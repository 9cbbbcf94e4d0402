"""Where the files of one embedded server are, and who may own them.

Creates folders, checks owners; never changes the mode of a folder that it did not make.
"""

import hashlib
import os
import pwd
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from integration_alerts.engine.postgres.errors import EmbeddedPostgresError

SOCKET_NAME = ".s.PGSQL.5432"
# sun_path with its final NUL: 108 bytes on Linux, 104 on the BSDs and macOS.
LONGEST_SOCKET_PATH = 107 if sys.platform == "linux" else 103


@dataclass(frozen=True)
class Folders:
    """The paths of the server whose data folder is `data`, already resolved."""

    data: Path

    @classmethod
    def of(cls, data_dir: Path) -> "Folders":
        """The paths for a data folder given in any spelling."""
        return cls(Path(os.path.realpath(data_dir)))

    @property
    def log(self) -> Path:
        """What PostgreSQL and its supervisor say."""
        return self.data / "postgres.log"

    @property
    def state(self) -> Path:
        """The folder of everything that follows."""
        return self.data / "postgres"

    @property
    def cluster(self) -> Path:
        """PGDATA."""
        return self.state / "cluster"

    @property
    def unfinished_cluster(self) -> Path:
        """Where initdb works; renamed to `cluster` when it is complete."""
        return self.state / "cluster.unfinished"

    @property
    def users_lock(self) -> Path:
        """Locked shared by every user of the server, exclusively by a supervisor that stops it."""
        return self.state / "users.lock"

    @property
    def start_lock(self) -> Path:
        """Locked exclusively while somebody starts or joins the server."""
        return self.state / "start.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Locked exclusively by the supervisor as long as it lives; holds its process id."""
        return self.state / "supervisor.lock"

    @property
    def server_lock(self) -> Path:
        """Locked as long as any PostgreSQL process of this cluster lives: they inherit it."""
        return self.state / "server.lock"

    @property
    def socket(self) -> Path:
        """The folder of the Unix socket."""
        return socket_directory(self.data)

    def cluster_major(self) -> int | None:
        """The major version that made the cluster; None when there is no cluster yet."""
        try:
            return int((self.cluster / "PG_VERSION").read_text())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise EmbeddedPostgresError(
                f"cannot read the version of the database in {self.cluster}: {error}"
            ) from error

    def prepare(self) -> bool:
        """Make the folders and check their owner; True when the data folder is new."""
        try:
            self.data.parent.mkdir(parents=True, exist_ok=True)
            created = _make_private(self.data)
            _check_owner(self.data)
            _make_private(self.state)
            _check_owner(self.state)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"cannot use the data folder {self.data}: {error.strerror}: {error.filename}; "
                "set DATA_DIR to another one"
            ) from error
        return created


def socket_directory(data_dir: Path) -> Path:
    """The folder of the server's Unix socket: in the data folder, or in /tmp if that is too deep.

    A path with a comma goes to /tmp as well: PostgreSQL and libpq read it as a list.
    """
    resolved = os.path.realpath(data_dir)
    inside = Path(resolved) / "postgres" / "socket"
    short = len(os.fsencode(inside / SOCKET_NAME)) <= LONGEST_SOCKET_PATH
    if short and re.fullmatch(r'[^,"\x00-\x1f\x7f]+', str(inside)):
        return inside
    digest = hashlib.sha256(os.fsencode(resolved)).hexdigest()[:16]
    return Path(f"/tmp/integration-alerts-{os.geteuid()}-{digest}")  # noqa: S108 (owner is checked)


def claim_socket_directory(path: Path, uid: int, gid: int) -> None:
    """Make `path` a private folder of `uid`, or raise when somebody else was there first."""
    _make_private(path)
    check_socket_directory(path, uid)
    if path.stat().st_uid != uid:
        os.chown(path, uid, gid)
    path.chmod(0o700)


def check_socket_directory(path: Path, *uids: int) -> None:
    """Raise unless `path` is a real folder of this user or of one of `uids`."""
    info = path.lstat()
    if not stat.S_ISDIR(info.st_mode) or info.st_uid not in (os.geteuid(), *uids):
        raise EmbeddedPostgresError(
            f"{path} is not a folder made by this application but belongs to "
            f"{user_name(info.st_uid)}: remove it"
        )


def user_name(uid: int) -> str:
    """How to call a user in a message."""
    try:
        return f"user {pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"


def _make_private(path: Path) -> bool:
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        return False
    return True


def _check_owner(path: Path) -> None:
    owner = path.stat().st_uid
    if owner != os.geteuid():
        raise EmbeddedPostgresError(
            f"{path} belongs to {user_name(owner)}, but this is {user_name(os.geteuid())}: "
            "run it as the owner, or set DATA_DIR to a folder of your own"
        )
    if not path.is_dir() or not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        raise EmbeddedPostgresError(
            f"{path} is not a folder that this user can read and write; set DATA_DIR to another one"
        )
