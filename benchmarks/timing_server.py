"""`python -m benchmarks.timing_server PORT`: an SMTP server that notes when it accepts what.

Writes one line per mail, `recipient nanoseconds` by the clock that all processes share
(CLOCK_MONOTONIC). Takes commands sent ahead (pipelining). Keeps no mail and checks nothing.
"""

import asyncio
import sys
import time

_GREETING = b"220 timing-server ESMTP\r\n"
_OFFERS = b"250-timing-server\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n"
_OK = b"250 2.0.0 Ok\r\n"
_END = b"\r\n.\r\n"


class Session(asyncio.Protocol):
    """One connection."""

    def __init__(self) -> None:
        self._received = b""
        self._recipient = ""
        self._body = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(_GREETING)

    def data_received(self, data: bytes) -> None:
        """Answer every command that is complete, and a body at its final dot."""
        self._received += data
        answers = b""
        while True:
            end = _END if self._body else b"\r\n"
            part, found, rest = self._received.partition(end)
            if not found:
                break
            self._received = rest
            answers += self._accept() if self._body else self._command(part)
        if answers:
            self._transport.write(answers)
        if answers.endswith(b"221 2.0.0 Bye\r\n"):
            self._transport.close()

    def _command(self, line: bytes) -> bytes:
        match line[:4].upper():
            case b"EHLO":
                return _OFFERS
            case b"RCPT":
                self._recipient = line.partition(b"<")[2].partition(b">")[0].decode()
                return _OK
            case b"DATA":
                self._body = True
                return b"354 End data with <CR><LF>.<CR><LF>\r\n"
            case b"QUIT":
                return b"221 2.0.0 Bye\r\n"
            case _:
                return _OK

    def _accept(self) -> bytes:
        self._body = False
        sys.stdout.write(f"{self._recipient} {time.monotonic_ns()}\n")
        sys.stdout.flush()
        return _OK


async def serve(port: int) -> None:
    """Until it is told to stop."""
    server = await asyncio.get_running_loop().create_server(Session, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
