"""Installations to measure: real processes on an embedded PostgreSQL of their own.

Each is a copy of one that was made, migrated and given an API key once. `Bench` is what a part
gets: where to put things, how often to repeat, which mail server to use, where to say how far.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from tests.installation import Installation, get

from benchmarks import accounting, prepared
from benchmarks.filling import Connection, connect
from benchmarks.mail_servers import ROOT, MailServer, SmtpSink
from benchmarks.progress import Progress
from integration_alerts.engine.postgres import EmbeddedPostgres

_POLL_SECONDS = 0.05
_numbers = count()


class OverdueError(Exception):
    """Something took longer than a part may take; the message says what."""


@dataclass
class Bench:
    """What the parts share; `place` is a folder on the disk that is measured."""

    place: Path
    runs: int = 5
    scale: float = 1.0
    """What all sizes are multiplied with: less than 1 only to try a part out."""
    mail_server: Callable[[Path], MailServer] = SmtpSink
    durable: bool = True
    """fsync is on: off only where nobody looks at the figures."""
    progress: Progress = field(default_factory=Progress)
    _blank: "tuple[Path, str] | None" = None
    _kept: dict[str, "Site"] = field(default_factory=dict)

    def size(self, number: int) -> int:
        """A number of things, scaled."""
        return max(1, int(number * self.scale))

    def repeat(self, what: str, seconds: float, runs: int | None = None) -> Iterator[int]:
        """The numbers of the runs, from 0; no further one once so many seconds are over."""
        began = time.monotonic()
        for number in range(runs or self.runs):
            if number and time.monotonic() - began > seconds:
                return
            self.progress.say(f"{what}: run {number + 1}")
            yield number

    @contextmanager
    def site(self, **environment: str) -> "Iterator[Site]":
        """A new installation, with nothing in it; gone when the block ends."""
        site = self._copy(environment)
        try:
            yield site
        finally:
            site.close()

    def kept(self, name: str, make: "Callable[[Site], None]", **environment: str) -> "Site":
        """An installation that is made once, by `make`, and kept for other parts."""
        if name not in self._kept:
            self.progress.say(f"filling {name}")
            site = self._copy(environment)
            try:
                make(site)
            except BaseException:
                site.close()
                raise
            self._kept[name] = site
        return self._kept[name]

    def blank(self) -> tuple[Path, str]:
        """The folder of a migrated installation that nothing runs in, and its API key."""
        if self._blank is None:
            self.progress.say("making a database")
            folder = self.place / "blank"
            folder.mkdir()
            installation = Installation(folder, None)
            with EmbeddedPostgres(folder, durable=self.durable):
                done = installation.command("migrate")
                assert done.returncode == 0, done.stderr
                self._blank = folder, installation.key()
        return self._blank

    def close(self) -> None:
        """End what was kept."""
        for site in self._kept.values():
            site.close()
        self._kept.clear()

    def _copy(self, environment: dict[str, str]) -> "Site":
        blank, key = self.blank()
        folder = self.place / f"site-{next(_numbers)}"
        # With everybody's rights and owners: PostgreSQL looks at them.
        subprocess.run(["cp", "-a", str(blank), str(folder)], check=True)  # noqa: S607
        return Site(folder, key, environment, durable=self.durable)


class Site:
    """An installation, its embedded database (held up by us too), and what its processes use."""

    def __init__(
        self, folder: Path, key: str, environment: dict[str, str], *, durable: bool
    ) -> None:
        self.folder = folder
        self.key = key
        self.installation = Installation(folder, None, **environment)
        self.postgres = EmbeddedPostgres(folder, durable=durable)
        self.postgres.acquire()
        self.database: Connection = connect(self.postgres, autocommit=True)
        self.address = ""

    def start_web(self) -> None:
        """A `web` process; `post` speaks to it."""
        self.address = self.installation.web()

    def start_worker(self, *arguments: str) -> "subprocess.Popen[str]":
        """A `worker` process, once its heartbeat is there."""
        return self.installation.worker(*arguments)

    def start_run(self) -> None:
        """`run`, once /readyz answers 200."""
        self.address = self.installation.web("run")
        self.wait(lambda: get(f"{self.address}/readyz").status == 200, 60, "/readyz")

    def stop(self, process: "subprocess.Popen[str]") -> None:
        """End one process in good order."""
        process.terminate()
        process.wait(60)

    def roots(self) -> list[int]:
        """Our processes and the supervisor of PostgreSQL; not us, nor mail servers, nor load."""
        running = [each.pid for each in self.installation.processes if each.poll() is None]
        lock = self.folder / "postgres" / "cluster" / "postmaster.pid"
        return [*running, int(lock.read_text().split("\n", 1)[0])]

    def cpu_seconds(self) -> float:
        """What all processes of the installation have used so far."""
        return accounting.cpu_seconds(self.roots())

    def megabytes(self) -> float:
        """What memory they use together."""
        return accounting.proportional_megabytes(self.roots())

    def post(
        self, lanes: Sequence[Sequence[bytes]], *, seconds: float = 600, pace: float = 0
    ) -> dict[str, Any]:
        """Send requests by `benchmarks.load`, a lane a connection; what it found."""
        file = self.folder / "requests"
        prepared.write(file, lanes)
        port = self.address.rpartition(":")[2]
        done = self._module("load", port, str(file), str(seconds), str(pace))
        found: dict[str, Any] = json.loads(done)
        assert not found["wrong"], found["wrong"]
        return found

    def inside(self, *arguments: str) -> dict[str, Any]:
        """What `benchmarks.inside` finds, in a process with this installation's settings."""
        found: dict[str, Any] = json.loads(self._module("inside", *arguments))
        return found

    def one(self, sql: str, *parameters: object) -> Any:
        """The first column of the first row."""
        row = self.database.execute(sql, parameters).fetchone()
        return None if row is None else row[0]

    def wait(
        self, look: Callable[[], object], seconds: float, what: str, poll: float = _POLL_SECONDS
    ) -> None:
        """Look until it is so; raises OverdueError."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(OSError):
                if look():
                    return
            if time.monotonic() > deadline:
                raise OverdueError(f"{what}: not within {seconds:.0f} s")
            time.sleep(poll)

    def settled(self) -> bool:
        """Whether nothing is to be planned, composed or sent."""
        return bool(self.one(_SETTLED))

    def close(self) -> None:
        """End its processes, stop its database and delete it."""
        self.installation.close()
        self.database.close()
        self.postgres.release(wait=60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _module(self, name: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}", *arguments],
            env=self.installation.environment, cwd=ROOT, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()[-1]


# Served by the partial indexes that the product itself looks for due work with.
_SETTLED = """
SELECT NOT EXISTS (SELECT FROM incident WHERE next_notice_at <= now())
   AND NOT EXISTS (SELECT FROM notice WHERE status = 'planned')
   AND NOT EXISTS (SELECT FROM email WHERE status = 'queued')
   AND NOT EXISTS (SELECT FROM email WHERE status = 'sending')"""
