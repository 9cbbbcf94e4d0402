"""Mail servers to send to: postfix's `smtp-sink`, the same 20 ms away, and one that notes instants.

Each is a process of its own on loopback, ended by its `with` block. How much arrived is read from a
file that the server writes, so that looking costs neither the server nor the database anything.
"""

import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[1]
_SINK = "smtp-sink"
_SINK_PLACES = "/usr/sbin:/usr/lib/postfix/sbin"
_BACKLOG = "1000"
_MOST_CONNECTIONS = "1000"
_START_SECONDS = 10.0
_TAIL = 200
_COUNTER = re.compile(rb"mesg=(\d+)\r")


class MissingSinkError(Exception):
    """`smtp-sink` is not installed; the message says what to do."""


class Server(ABC):
    """A process that listens on `port` of loopback while the `with` block runs."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        self.log = folder / f"mail-server-{self.port}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As EMAIL_URL."""
        return f"smtp://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self.command(), cwd=ROOT,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(self.port):
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, f"{self.command()[0]} does not listen"
            time.sleep(0.02)
        return self

    def __exit__(self, *exception: object) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait()

    @abstractmethod
    def command(self) -> list[str]:
        """How it is started."""


class MailServer(Server):
    """A server that counts what it accepted."""

    @abstractmethod
    def accepted(self) -> int:
        """How many mails were accepted so far."""

    def last_at(self) -> float:
        """When the latest mail was accepted, as time.time()."""
        return self.log.stat().st_mtime


class SmtpSink(MailServer):
    """Debian's `smtp-sink`, much faster than whoever sends to it; writes its count to its log."""

    def command(self) -> list[str]:
        """As an ordinary user, which it insists on."""
        program = find_sink()
        user = ["-u", pwd.getpwnam("nobody").pw_name] if os.geteuid() == 0 else []
        address = f"127.0.0.1:{self.port}"
        return [program, "-4", "-c", "-m", _MOST_CONNECTIONS, *user, address, _BACKLOG]

    def accepted(self) -> int:
        """The last count that it wrote."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - _TAIL))
            counts = _COUNTER.findall(log.read())
        return int(counts[-1]) if counts else 0


class TimingServer(MailServer):
    """A server of our own that notes recipient and instant of every acceptance."""

    def command(self) -> list[str]:
        """`benchmarks.timing_server`."""
        return [sys.executable, "-m", "benchmarks.timing_server", str(self.port)]

    def accepted(self) -> int:
        """How many lines it wrote."""
        return self.log.read_bytes().count(b"\n")

    def instants(self) -> dict[str, int]:
        """When each recipient's latest mail was accepted, as time.monotonic_ns()."""
        lines = self.log.read_text().splitlines()
        return {recipient: int(instant) for recipient, instant in map(str.split, lines)}


class LateServer(Server):
    """Stands before a mail server and hands its answers on later; refuses too many connections."""

    def __init__(self, folder: Path, behind: Server, *, seconds: float, connections: int) -> None:
        super().__init__(folder)
        self._arguments = [str(behind.port), str(seconds), str(connections)]

    def command(self) -> list[str]:
        """`benchmarks.late_server`."""
        return [sys.executable, "-m", "benchmarks.late_server", str(self.port), *self._arguments]

    def seen(self) -> dict[str, int]:
        """`peak`: the most connections at once; `refused`: how many were refused."""
        seen: dict[str, int] = json.loads(self.log.read_text().splitlines()[-1])
        return seen


def find_sink() -> str:
    """Where `smtp-sink` is; raises MissingSinkError."""
    program = shutil.which(_SINK) or shutil.which(_SINK, path=_SINK_PLACES)
    if program is None:
        raise MissingSinkError(
            "smtp-sink is not installed; on Debian: apt-get install --no-install-recommends postfix"
            " (its own mail service is not used and may stay stopped)"
        )
    return program


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as probe:
            probe.settimeout(5)
            answered = bool(probe.recv(100))
            probe.sendall(b"QUIT\r\n")
            probe.recv(100)
    except OSError:
        return False
    return answered
