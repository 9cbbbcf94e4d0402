"""smtplib's commands over a socket that no server can hold up for ever or flood.

smtplib allows every single byte of a reply a time-out of its own and any number of lines; this
allows a whole reply one time-out and a bounded size. A wire is waited for as smtplib does, or, from
`unblock` on, by whoever holds many of them. Knows nothing of phases or retries.
"""

import contextlib
import ipaddress
import smtplib
import socket
import ssl
import time

_LONGEST_REPLY = 65536
_RECEIVE_AT_ONCE = 8192
_CLOSE_ENOUGH = 0.1
_QUICKLY: int | None = getattr(socket, "TCP_QUICKACK", None)  # of Linux alone


class SmtpWire(smtplib.SMTP):
    """A session over a socket that the caller opened; `allow` sets the time for what follows.

    Everything that goes wrong is an OSError.
    """

    sock: socket.socket | None

    def __init__(self, sock: socket.socket, local_hostname: str) -> None:
        # Naming the client here avoids smtplib's look-up of it in the DNS.
        super().__init__(local_hostname=local_hostname)
        self.command_encoding = "utf-8"  # addresses that need SMTPUTF8; all else is ASCII
        self.sock = sock
        self._unread = bytearray()
        self._deadline = 0.0
        self._timeout = 0.0  # what the socket was told last

    def allow(self, seconds: float) -> None:
        """Give what follows, a command with its reply or a handshake, this much time in all."""
        self._deadline = time.monotonic() + seconds

    @property
    def in_step(self) -> bool:
        """Whether the session is open and the server has said no more than it was asked."""
        return self.sock is not None and not self._unread

    @property
    def peer_is_loopback(self) -> bool:
        """Whether the server runs on this host, so that nobody is in between."""
        try:
            peer = self._timed_socket().getpeername()[0]
        except OSError:
            return False
        return ipaddress.ip_address(peer.partition("%")[0]).is_loopback

    def encrypt(self, context: ssl.SSLContext, server_hostname: str) -> None:
        """Go on over TLS; the caller introduces itself again, as RFC 3207 section 4.2 asks.

        Bytes that came along with the answer to STARTTLS were not encrypted: somebody may have
        injected them, so they are dropped.
        """
        encrypted = context.wrap_socket(
            self._timed_socket(), server_hostname=server_hostname, do_handshake_on_connect=False
        )
        self.sock = encrypted
        self._timeout = 0.0
        self._unread.clear()
        # Asked for on its own because it then fails, instead of being left out without a word,
        # when the server has hung up meanwhile.
        encrypted.do_handshake()

    def send(self, s: str | bytes) -> None:  # type: ignore[override]  # no other buffers are sent
        """Send all of it, or raise the cause, which smtplib drops."""
        data = s.encode(self.command_encoding) if isinstance(s, str) else s
        self._timed_socket().sendall(data)

    def getreply(self) -> tuple[int, bytes]:
        """Wait for one reply: its code, and its lines without the code."""
        while (reply := self.reply()) is None:
            self._keep(self._timed_socket().recv(_RECEIVE_AT_ONCE))
        return reply

    def unblock(self) -> socket.socket:
        """From here on, `receive` and `send_some` do not wait; returns what to wait for instead.

        What waits by itself, such as `docmd`, can be used all the same, whenever nothing else is.
        """
        sock = self._open_socket()
        sock.settimeout(0)
        self._timeout = 0.0
        return sock

    def reply(self) -> tuple[int, bytes] | None:
        """The next reply, if all of it has come."""
        words: list[bytes] = []
        start = 0
        while 0 <= (end := self._unread.find(b"\n", start)) <= _LONGEST_REPLY:
            line = bytes(self._unread[start:end]).rstrip(b"\r")
            code, separator = line[:3], line[3:4]
            if len(code) < 3 or not code.isdigit() or separator not in (b"", b" ", b"-"):
                raise OSError(f"the answer is not SMTP: {line.decode(errors='replace')}")
            words.append(line[4:])
            start = end + 1
            if separator != b"-":
                del self._unread[:start]
                return int(code), b"\n".join(words)
        if len(self._unread) > _LONGEST_REPLY:
            raise OSError(f"the answer is longer than {_LONGEST_REPLY} bytes")
        self._open_socket()  # what was closed here says no more
        return None

    def receive(self) -> None:
        """Take what has come, which may be nothing or not all of it."""
        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            sock = self._open_socket()
            self._keep(sock.recv(_RECEIVE_AT_ONCE))
            _acknowledge(sock)
            # What is decrypted already does not show when the socket is waited for.
            while isinstance(sock, ssl.SSLSocket) and sock.pending():
                self._keep(sock.recv(_RECEIVE_AT_ONCE))

    def send_some(self, data: memoryview) -> int:
        """Send as much as goes without waiting; returns how many bytes."""
        try:
            return self._open_socket().send(data)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return 0

    def _keep(self, received: bytes) -> None:
        if not received:
            raise ConnectionAbortedError("the server closed the connection")
        self._unread += received

    def _open_socket(self) -> socket.socket:
        if self.sock is None:
            raise ConnectionAbortedError("the connection is closed")
        return self.sock

    def _timed_socket(self) -> socket.socket:
        sock = self._open_socket()
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        # Telling the socket costs a system call: a tenth more or less is as good.
        if abs(remaining - self._timeout) > remaining * _CLOSE_ENOUGH:
            self._timeout = remaining
            sock.settimeout(remaining)
        return sock


def _acknowledge(sock: socket.socket) -> None:
    """Let the server know at once that its reply has come.

    One that writes its replies one by one sends the second only when the first is acknowledged,
    for which Linux takes up to 40 ms: with pipelining, these were added to every email.
    """
    if _QUICKLY is not None:  # holds for a while only
        with contextlib.suppress(OSError):  # what was received counts all the same
            sock.setsockopt(socket.IPPROTO_TCP, _QUICKLY, 1)
