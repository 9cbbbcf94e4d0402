"""Running everything on one machine: the web and worker processes under one parent.

A child that ends unasked is started again; a signal to the parent stops all of them cleanly. If
the parent is killed, its children stop by themselves.
"""

import http.client
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from integration_alerts.engine.processes import end_with_parent

START_SECONDS = 60
# A request holds a thread while its body comes in. More than the processors need, so that a few
# slow clients leave room for others; on the open internet, put a proxy that buffers in front.
THREADS = 32
# Mails in flight are finished first. The longest single wait, for an answer to the final dot, takes
# 300 s (mail.smtp_session.Timeouts); twice that cuts off only servers that stall at every step.
STOP_SECONDS = 600
_RESTART_PAUSE = 2
_TEND_SECONDS = 1

logger = logging.getLogger(__name__)


class RunError(Exception):
    """It cannot run; the message is one line that says what to do."""


@dataclass(slots=True)
class _Child:
    """A process of ours and the command that starts it."""

    name: str
    arguments: list[str]
    process: subprocess.Popen[bytes]


def check_free(host: str, port: int) -> None:
    """Raise RunError when nothing can listen at this address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise RunError(
                f"--bind: cannot listen on {host}:{port} ({error.strerror}); "
                "choose another address, or stop what uses it"
            ) from error


def reachable(host: str) -> str:
    """A host that a client on this machine can connect to when we listen on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (only compared)


def run(host: str, port: int, on_ready: Callable[[], None], tend: Callable[[], None]) -> None:
    """Run web and worker until SIGTERM or SIGINT. The database must be up and migrated.

    `tend` is called all the time; it keeps the database up.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    signals, writer = _signals()
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    children = [
        _start("web", ["web", "--bind", bind]),
        _start("worker", ["worker"]),
    ]
    try:
        if _wait_until_answering(host, port, stopping):
            on_ready()
        while not stopping.is_set():
            _wait(signals, _TEND_SECONDS)
            tend()
            for child in children:
                _restart_if_ended(child, stopping)
    finally:
        _stop(children, tend)
        signal.set_wakeup_fd(-1)
        writer.close()


def _signals() -> tuple[socket.socket, socket.socket]:
    """Two ends; the first can be read from once a signal has come, the end of a child too."""
    reader, writer = socket.socketpair()
    for end in (reader, writer):
        end.settimeout(0)
    signal.set_wakeup_fd(writer.fileno())
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return reader, writer


def _wait(signals: socket.socket, seconds: float) -> None:
    """Wait for a signal, at most so long: nothing has to be looked at more often."""
    if select.select([signals], [], [], seconds)[0]:
        signals.recv(4096)


def serve(host: str, port: int) -> None:
    """Serve the WSGI application in this process until SIGTERM or SIGINT."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    Granian(
        "integration_alerts.wsgi:application",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=THREADS,
        workers_kill_timeout=30,  # seconds: no client may hold up the end
        log_level=LogLevels.error,  # Django logs what matters of a request
        log_access=False,
        websockets=False,
        respawn_failed_workers=True,
    ).serve()


def _start(name: str, arguments: list[str]) -> _Child:
    command = [sys.executable, "-m", "integration_alerts", *arguments]
    process = subprocess.Popen(  # noqa: S603 (our own program)
        command,
        preexec_fn=end_with_parent,  # noqa: PLW1509 (it takes no lock that a thread may hold)
        start_new_session=True,
    )
    return _Child(name, arguments, process)


def _restart_if_ended(child: _Child, stopping: threading.Event) -> None:
    code = child.process.poll()
    if code is None:
        return
    logger.error("%s ended with %s; starting it again", child.name, code)
    if not stopping.wait(_RESTART_PAUSE):
        child.process = _start(child.name, child.arguments).process


def _wait_until_answering(host: str, port: int, stopping: threading.Event) -> bool:
    deadline = time.monotonic() + START_SECONDS
    target = reachable(host)
    while not stopping.wait(0.05):
        try:
            connection = http.client.HTTPConnection(target, port, timeout=5)
            connection.request("GET", "/healthz")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return True
        except OSError:
            if time.monotonic() > deadline:
                raise RunError(f"the web process did not answer within {START_SECONDS} s") from None
        finally:
            connection.close()
    return False


def _stop(children: list[_Child], tend: Callable[[], None]) -> None:
    """Stop the children. They have outcomes to write down, so the database is kept up for them."""
    for child in children:
        child.process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while any(child.process.poll() is None for child in children):
        if time.monotonic() > deadline:
            for child in children:
                os.killpg(child.process.pid, signal.SIGKILL)
            return
        tend()
        time.sleep(0.05)
