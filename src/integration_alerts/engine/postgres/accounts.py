"""As whom PostgreSQL runs: it refuses uid 0, so root runs it in a user namespace or as nobody.

Never adds OS users and never opens folders up: what cannot be reached is reported.
"""

import ctypes
import os
import pwd
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from integration_alerts.engine.postgres.errors import EmbeddedPostgresError
from integration_alerts.engine.postgres.folders import user_name

CLONE_NEWUSER = 0x10000000
# Any id but 0: PostgreSQL only looks whether it is root.
INSIDE_ID = 1
NOBODY = 65534


class Way(Enum):
    """How the processes of PostgreSQL come to their uid."""

    UNCHANGED = "as this user"
    NAMESPACE = "as root in a user namespace"
    NOBODY = "as nobody, because the kernel forbids root to make user namespaces here"


@dataclass(frozen=True)
class Account:
    """The owner of the cluster's files, seen from outside, and the way to become it."""

    way: Way
    uid: int
    gid: int

    def enter(self) -> None:
        """Become this account for good; only for a forked child with a single thread."""
        if self.way is Way.NAMESPACE:
            _enter_namespace()
        elif self.way is Way.NOBODY:
            os.setgroups([])
            os.setresgid(self.gid, self.gid, self.gid)
            os.setresuid(self.uid, self.uid, self.uid)

    def unreachable(self, *paths: Path) -> Path | None:
        """The first folder on the way to one of `paths` that this account may not enter."""
        if self.way is Way.UNCHANGED:
            return None
        folders = [folder for path in paths for folder in (*reversed(path.parents), path)]
        return Path(os.fsdecode(answer)) if (answer := _first_closed(self, folders)) else None


def choose_account() -> Account:
    """This user if it is not root, else the best that the kernel allows."""
    uid, gid = os.geteuid(), os.getegid()
    if uid != 0:
        return Account(Way.UNCHANGED, uid, gid)
    namespace = Account(Way.NAMESPACE, uid, gid)
    if sys.platform == "linux" and _first_closed(namespace, []) == b"":
        return namespace
    return _nobody()


def give(folder: Path, account: Account) -> None:
    """Make `account` the owner of the whole folder; for root, when its way is another one now."""
    owner = folder.stat().st_uid
    if owner == account.uid:
        return
    if os.geteuid() != 0 or owner not in (0, _nobody().uid):
        raise EmbeddedPostgresError(
            f"{folder} belongs to {user_name(owner)}, but this is {user_name(os.geteuid())}: "
            "run it as the owner, or give the folder to this user"
        )
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent) / name, account.uid, account.gid, follow_symlinks=False)
    # Last, so that an interrupted change is done again.
    os.chown(folder, account.uid, account.gid)


def _nobody() -> Account:
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        return Account(Way.NOBODY, NOBODY, NOBODY)
    return Account(Way.NOBODY, entry.pw_uid, entry.pw_gid)


def _enter_namespace() -> None:
    uid, gid = os.geteuid(), os.getegid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "unshare(CLONE_NEWUSER) failed")
    own = Path("/proc/self")
    (own / "setgroups").write_text("deny")
    (own / "uid_map").write_text(f"{INSIDE_ID} {uid} 1")
    (own / "gid_map").write_text(f"{INSIDE_ID} {gid} 1")


def _first_closed(account: Account, folders: list[Path]) -> bytes | None:
    # The first folder that the account may not enter, b"" when there is none, or None when the
    # account itself cannot be entered. Asked of a child: there is no way back from an account.
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            account.enter()
            closed = (folder for folder in folders if not os.access(folder, os.X_OK))
            os.write(writer, b"%b\n" % os.fsencode(next(closed, "")))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    return answer[:-1] if answer else None
