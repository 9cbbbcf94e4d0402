"""Opens an SMTP session: connects, greets, encrypts, signs in; and talks in it phase by phase.

Opening waits for the server. What follows comes in steps, so that whoever has many sessions can
wait for all of them at once (`smtp_conversations`). Sends no email: that is `smtp_connection`.
"""

import base64
import contextlib
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable

from integration_alerts.mail.email_url import MailServer, Security
from integration_alerts.mail.smtp_waits import Steps, Timeouts, Wait
from integration_alerts.mail.smtp_wire import SmtpWire
from integration_alerts.mail.smtp_words import describe, one_line
from integration_alerts.rules.retry import Answer, Phase

_GOODBYE_SECONDS = 1.0
_QUALIFIED_NAME = re.compile(r"[\w-]+(\.[\w-]+)+", re.ASCII)


class SessionError(Exception):
    """The session could not be opened; `answer` says at which phase and why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.text)
        self.answer = answer


class SmtpSession:
    """A session that is open and signed in once it is made."""

    def __init__(
        self,
        server: MailServer,
        timeouts: Timeouts,
        tls_context: ssl.SSLContext,
        local_hostname: str | None,
    ) -> None:
        """Open the session, or raise SessionError."""
        self.timeouts = timeouts
        self._server = server
        self._tls_context = tls_context
        self._secrets = _secrets(server)
        sock = self._connect()
        self._wire = SmtpWire(sock, local_hostname or _own_name(sock))
        try:
            self._open()
        except SessionError:
            self.quit(_GOODBYE_SECONDS)
            raise

    def offers(self, extension: str) -> bool:
        """Whether the server offers this service extension."""
        return self._wire.has_extn(extension)

    @property
    def in_step(self) -> bool:
        """Whether the session is open and the server has said no more than it was asked."""
        return self._wire.in_step

    def ask(self, phase: Phase, seconds: float, command: str, arguments: str = "") -> Answer:
        """Send a command and wait for the answer to it."""
        return self._exchange(phase, seconds, lambda: self._wire.docmd(command, arguments))

    def unblock(self) -> socket.socket:
        """From here on talk in steps; returns the socket to wait for."""
        return self._wire.unblock()

    def asking(self, phase: Phase, seconds: float, command: str) -> Steps[Answer]:
        """Send a command and return the answer to it."""
        failed = yield from self.telling(phase, seconds, f"{command}\r\n".encode())
        return failed or (yield from self.hearing(phase, seconds))

    def hearing(self, phase: Phase, seconds: float) -> Steps[Answer]:
        """Return the answer to what was sent before."""
        wait: Wait | None = None
        try:
            while (reply := self._wire.reply()) is None:
                yield (wait := wait or Wait(time.monotonic() + seconds))
                self._wire.receive()
        except OSError as fault:
            self.close()
            return self._no_answer(phase, fault, seconds)
        return self._answer(phase, *reply)

    def telling(self, phase: Phase, seconds: float, data: bytes) -> Steps[Answer | None]:
        """Send data; return an answer only if that failed."""
        wait: Wait | None = None
        left = memoryview(data)
        try:
            while left := left[self._wire.send_some(left) :]:
                yield (wait := wait or Wait(time.monotonic() + seconds, to_send=True))
        except OSError as fault:
            return self._no_answer(phase, fault, seconds)
        return None

    def quit(self, seconds: float) -> None:
        """Say goodbye, as RFC 5321 section 4.1.1.10 asks, but wait no longer than this."""
        self.ask(Phase.GREETING, seconds, "QUIT")
        self.close()

    def close(self) -> None:
        """Drop the connection without a word."""
        with contextlib.suppress(OSError):
            self._wire.close()

    def _exchange(
        self, phase: Phase, seconds: float, talk: Callable[[], tuple[int, bytes]]
    ) -> Answer:
        self._wire.allow(seconds)
        try:
            code, words = talk()
        except OSError as fault:
            self.close()
            return self._no_answer(phase, fault, seconds)
        return self._answer(phase, code, words)

    def _answer(self, phase: Phase, code: int, words: bytes) -> Answer:
        return Answer(phase, code, one_line(words.decode(errors="replace"), self._secrets))

    def _no_answer(self, phase: Phase, fault: Exception, seconds: float) -> Answer:
        return Answer(phase, None, one_line(describe(fault, seconds), self._secrets))

    # The steps of opening: each returns, or raises SessionError.

    def _connect(self) -> socket.socket:
        seconds = self.timeouts.connect
        try:
            sock = socket.create_connection((self._server.host, self._server.port), seconds)
            # Otherwise the end of a body can wait for the server's delayed acknowledgement.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except (OSError, ValueError) as fault:  # ValueError: the name is no host name
            raise SessionError(self._no_answer(Phase.CONNECT, fault, seconds)) from None
        return sock

    def _open(self) -> None:
        encrypted = self._server.security is Security.TLS
        if encrypted:
            self._encrypt()
        greeting = self._exchange(Phase.GREETING, self.timeouts.greeting, self._wire.getreply)
        _require(greeting, 2)
        self._introduce()
        if not encrypted:
            encrypted = self._start_tls()
        if self._server.username is not None and self._server.password is not None:
            self._sign_in(self._server.username, self._server.password, encrypted=encrypted)

    def _introduce(self) -> None:
        answer = self._exchange(Phase.GREETING, self.timeouts.command, self._wire.ehlo)
        if kind(answer) == 5:  # a server from before EHLO (RFC 5321 section 3.2)
            answer = self._exchange(Phase.GREETING, self.timeouts.command, self._wire.helo)
        _require(answer, 2)

    def _start_tls(self) -> bool:
        if not self.offers("starttls"):
            if self._server.security is Security.STARTTLS:
                raise SessionError(
                    Answer(Phase.TLS, None, "EMAIL_URL requires TLS, but the server offers none")
                )
            return False
        _require(self.ask(Phase.TLS, self.timeouts.command, "STARTTLS"), 2)
        self._encrypt()
        self._introduce()
        return True

    def _encrypt(self) -> None:
        seconds = self.timeouts.command
        self._wire.allow(seconds)
        try:
            self._wire.encrypt(self._tls_context, self._server.host)
        except (OSError, ValueError) as fault:
            self.close()
            raise SessionError(self._no_answer(Phase.TLS, fault, seconds)) from None

    def _sign_in(self, username: str, password: str, *, encrypted: bool) -> None:
        if not encrypted and not self._wire.peer_is_loopback:
            raise SessionError(
                Answer(Phase.AUTH, None, "the password is not sent: the connection is unencrypted")
            )
        offered = self._wire.esmtp_features.get("auth", "").upper().split()
        seconds = self.timeouts.command
        if "PLAIN" in offered:
            credentials = _base64(f"\0{username}\0{password}")
            _require(self.ask(Phase.AUTH, seconds, "AUTH", f"PLAIN {credentials}"), 2)
        elif "LOGIN" in offered:
            _require(self.ask(Phase.AUTH, seconds, "AUTH", "LOGIN"), 3)
            _require(self.ask(Phase.AUTH, seconds, _base64(username)), 3)
            _require(self.ask(Phase.AUTH, seconds, _base64(password)), 2)
        else:
            raise SessionError(
                Answer(Phase.AUTH, None, "the server offers no sign-in by PLAIN or LOGIN")
            )


def kind(answer: Answer) -> int | None:
    """The first digit of the code, which is all that decides how to go on (RFC 5321 4.2.1)."""
    return None if answer.code is None else answer.code // 100


def _require(answer: Answer, wanted: int) -> None:
    if kind(answer) != wanted:
        raise SessionError(answer)


def _own_name(sock: socket.socket) -> str:
    """The name for EHLO, without asking the DNS (RFC 5321 section 4.1.4)."""
    name = socket.gethostname()
    if _QUALIFIED_NAME.fullmatch(name):
        return name
    address = ipaddress.ip_address(sock.getsockname()[0].partition("%")[0])
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _secrets(server: MailServer) -> tuple[str, ...]:
    """What a server might quote of our sign-in."""
    if not server.password:
        return ()
    plain = _base64(f"\0{server.username}\0{server.password}")
    return (server.password, _base64(server.password), plain)
