"""A server on loopback that says exactly what a test wants, for misbehaviour of every kind."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

_LONGEST_WAIT = 10.0


class HungUpError(Exception):
    """The client is gone."""


class Conversation:
    """One connection, from the server's side."""

    def __init__(self, sock: socket.socket, number: int) -> None:
        self.number = number
        """Which connection it is, counted from 1."""
        self.sock = sock
        self._lines = sock.makefile("rb")

    def say(self, *lines: str | bytes) -> None:
        data = b"".join(
            (line.encode() if isinstance(line, str) else line) + b"\r\n" for line in lines
        )
        self.sock.sendall(data)

    def hear(self) -> str:
        line = self._lines.readline()
        if not line:
            raise HungUpError
        return line.decode(errors="replace").rstrip("\r\n")

    def hear_body(self) -> bytes:
        body = b""
        while not (body == b".\r\n" or body.endswith(b"\r\n.\r\n")):
            line = self._lines.readline()
            if not line:
                raise HungUpError
            body += line
        return body

    def silence(self) -> None:
        """Say nothing until the client hangs up."""
        with contextlib.suppress(OSError):
            while self._lines.read1(65536):
                pass
        raise HungUpError

    def take_leave(self) -> None:
        """Be polite until the client hangs up."""
        while self.hear() != "QUIT":
            self.say("250 ok")
        self.say("221 bye")

    def cut(self) -> None:
        """Close the connection."""
        raise HungUpError

    def reset(self) -> None:
        """Close the connection the hard way (RST)."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise HungUpError

    def greet(self, *extensions: str) -> None:
        """The greeting and EHLO."""
        self.say("220 scripted.test ESMTP")
        self.hear()
        names = ["scripted.test", *extensions]
        self.say(*(f"250-{name}" for name in names[:-1]), f"250 {names[-1]}")

    def take_email(self, answer: str | bytes = "250 queued") -> bytes:
        """One whole email, and the answer to its final dot."""
        for reply in ("250 sender ok", "250 recipient ok", "354 go ahead"):
            self.hear()
            self.say(reply)
        body = self.hear_body()
        self.say(answer)
        return body

    def close(self) -> None:
        self._lines.close()
        self.sock.close()


class ScriptedServer:
    """Runs `script` for every connection; what a script raises fails the test at exit."""

    host = "127.0.0.1"

    def __init__(self, script: Callable[[Conversation], None]) -> None:
        self._script = script
        self._listener = socket.create_server((self.host, 0))
        self._threads: list[threading.Thread] = []
        self._failures: list[BaseException] = []
        self.port: int = self._listener.getsockname()[1]
        self.connections = 0

    def __enter__(self) -> Self:
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        for thread in self._threads:
            thread.join(_LONGEST_WAIT)
        if value is None and self._failures:
            raise self._failures[0]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            sock.settimeout(_LONGEST_WAIT)
            thread = threading.Thread(target=self._converse, args=(sock, self.connections))
            thread.start()
            self._threads.append(thread)

    def _converse(self, sock: socket.socket, number: int) -> None:
        conversation = Conversation(sock, number)
        try:
            self._script(conversation)
            conversation.take_leave()
        except (HungUpError, ConnectionError):
            pass
        except BaseException as failure:
            self._failures.append(failure)
        finally:
            conversation.close()
