"""A real SMTP server on loopback for tests: it keeps what it accepted and refuses on request.

    with SmtpServer() as server:
        server.respond(recipient="450 4.7.1 greylisted")     # from now on
        server.respond(recipient=["450 4.7.1 greylisted"])   # once, then as usual
        server.respond(recipient=lambda address: "550 5.1.1 unknown" if ... else None)
        server.respond(recipient=None)                       # as usual again
        server.delay = 5        # accept, but answer the final dot so many seconds later
        server.down(); server.up()                           # on the same port
        server.wait_for_messages(1)

It speaks the protocol correctly (aiosmtpd does); for servers that do not, see `scripted_server`.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from typing import Self

from tests.smtp_server_protocol import Connection, Received

__all__ = ["Received", "SmtpServer"]

Response = str | Sequence[str] | Callable[[str], str | None] | None
PHASES = ("greeting", "ehlo", "auth", "sender", "recipient", "data", "acceptance")


class SmtpServer:
    """See the module; every attribute and method may be used from the test's thread."""

    host = "127.0.0.1"

    def __init__(
        self,
        *,
        tls_context: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
        require_starttls: bool = False,
        auth: tuple[str, str] | None = None,
        auth_mechanisms: Sequence[str] = ("PLAIN", "LOGIN"),
        smtputf8: bool = False,
        size_limit: int | None = None,
        goodbye_after: int | None = None,
        idle_seconds: float = 300,
    ) -> None:
        self.tls_context = tls_context
        self.implicit_tls = implicit_tls
        self.require_starttls = require_starttls
        self.auth = auth
        self.auth_mechanisms = auth_mechanisms
        self.smtputf8 = smtputf8
        self.size_limit = size_limit
        self.goodbye_after = goodbye_after
        """Say 421 to the command after so many emails over one connection."""
        self.idle_seconds = idle_seconds
        self.port = 0
        self.delay = 0.0
        self.messages: list[Received] = []
        self.connections = 0
        self.commands: list[str] = []
        """The names of the commands that were carried out, over all connections, in order."""
        self.open_connections: set[Connection] = set()
        self._responses: dict[str, Response] = dict.fromkeys(PHASES)
        self._changed = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """An EMAIL_URL without credentials."""
        return f"{'smtps' if self.implicit_tls else 'smtp'}://{self.host}:{self.port}"

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *exception: object) -> None:
        self.down()

    def up(self) -> None:
        """Listen; on the same port as before if it was up before."""
        listener = socket.create_server((self.host, self.port))
        self.port = listener.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        started = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(self._loop, listener, started), name="smtp-server", daemon=True
        )
        self._thread.start()
        started.wait()

    def down(self) -> None:
        """Cut all connections and stop listening; what was accepted stays in `messages`."""
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop = self._thread = None

    def respond(self, **phases: Response) -> None:
        """Set what the server says in these phases (see PHASES); 421 also closes the connection."""
        unknown = set(phases) - set(PHASES)
        assert not unknown, f"unknown phases {unknown}"
        for phase, response in phases.items():
            once_each = isinstance(response, Sequence) and not isinstance(response, str)
            self._responses[phase] = list(response) if once_each else response  # type: ignore[arg-type]

    def wait_for_messages(self, count: int, timeout: float = 10) -> list[Received]:
        """Wait until so many emails have been accepted and return them."""
        with self._changed:
            enough = self._changed.wait_for(lambda: len(self.messages) >= count, timeout)
        assert enough, f"{len(self.messages)} of {count} emails arrived within {timeout} s"
        return list(self.messages)

    def response(self, phase: str, address: str = "") -> str | None:
        """What to say in this phase instead of the usual; used by the protocol."""
        response = self._responses[phase]
        if callable(response):
            return response(address)
        if isinstance(response, list):
            return response.pop(0) if response else None
        assert response is None or isinstance(response, str)
        return response

    def keep(self, received: Received) -> None:
        """Take an accepted email; used by the protocol."""
        with self._changed:
            self.messages.append(received)
            self._changed.notify_all()

    def _run(
        self, loop: asyncio.AbstractEventLoop, listener: socket.socket, started: threading.Event
    ) -> None:
        server = loop.run_until_complete(
            loop.create_server(
                lambda: Connection(self, loop),
                sock=listener,
                ssl=self.tls_context if self.implicit_tls else None,
            )
        )
        loop.call_soon(started.set)
        loop.run_forever()
        # asyncio leaks a connection that it accepted right before its server is closed.
        loop.remove_reader(listener)
        loop.run_until_complete(asyncio.sleep(0))
        server.close()
        loop.run_until_complete(self._cut_all())
        loop.close()

    async def _cut_all(self) -> None:
        """Cut every connection and see each of them end."""
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for connection in set(self.open_connections):
                connection.cut()
            _, stuck = await asyncio.wait(tasks, timeout=1)
            for task in stuck:
                task.cancel()
        await asyncio.sleep(0)
