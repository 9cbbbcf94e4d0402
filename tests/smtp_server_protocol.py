"""How an `smtp_server.SmtpServer` speaks: aiosmtpd, with answers and memory from the server."""

import asyncio
import email
import email.policy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from aiosmtpd.smtp import MISSING, SMTP, AuthResult, Envelope, LoginPassword, Session

if TYPE_CHECKING:
    from tests.smtp_server import SmtpServer


@dataclass(frozen=True, slots=True)
class Received:
    """One email that the server accepted."""

    sender: str
    recipient: str
    data: bytes
    """The bytes as composed: dots undoubled, without the final dot."""
    parameters: tuple[str, ...]
    """What followed the address in MAIL FROM, such as SMTPUTF8."""
    received_at: datetime
    connection: int
    """Which of the server's connections it came over, counted from 1."""

    @property
    def message(self) -> EmailMessage:
        return email.message_from_bytes(self.data, policy=email.policy.default)


class _Handler:
    """aiosmtpd's hooks: ask the server what to say, keep what is accepted."""

    def __init__(self, server: "SmtpServer", number: int) -> None:
        self.server = server
        self.number = number
        self.accepted = 0

    async def handle_EHLO(  # noqa: N802
        self, smtp: SMTP, session: Session, _: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        response = self.server.response("ehlo")
        if response is not None:
            return [response]
        session.host_name = hostname
        return lines

    async def handle_AUTH(  # noqa: N802
        self, smtp: SMTP, session: Session, envelope: Envelope, args: list[str]
    ) -> Any:
        return self.server.response("auth") or MISSING

    async def handle_MAIL(  # noqa: N802
        self, smtp: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.server.goodbye_after is not None and self.accepted >= self.server.goodbye_after:
            return "421 4.7.0 that was enough for one connection"
        response = self.server.response("sender", address)
        if response is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
        return response or "250 2.1.0 sender ok"

    async def handle_RCPT(  # noqa: N802
        self, smtp: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        response = self.server.response("recipient", address)
        if response is None:
            envelope.rcpt_tos.append(address)
        return response or "250 2.1.5 recipient ok"

    async def handle_DATA(self, smtp: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        (recipient,) = envelope.rcpt_tos
        response = self.server.response("acceptance", recipient)
        if response is None:
            assert envelope.mail_from is not None
            assert envelope.original_content is not None
            self.accepted += 1
            self.server.keep(
                Received(
                    sender=envelope.mail_from,
                    recipient=recipient,
                    data=envelope.original_content,
                    parameters=tuple(envelope.mail_options),
                    received_at=datetime.now(UTC),
                    connection=self.number,
                )
            )
        if self.server.delay:
            await asyncio.sleep(self.server.delay)
        return response or "250 2.0.0 queued"


class Connection(SMTP):
    """One connection to an SmtpServer."""

    def __init__(self, server: "SmtpServer", loop: asyncio.AbstractEventLoop) -> None:
        server.connections += 1
        self.server = server
        self.greeted = False
        super().__init__(
            _Handler(server, server.connections),
            hostname="mail.test",
            ident="ESMTP",
            loop=loop,
            data_size_limit=server.size_limit,
            enable_SMTPUTF8=server.smtputf8,
            tls_context=None if server.implicit_tls else server.tls_context,
            require_starttls=server.require_starttls,
            auth_require_tls=False,
            auth_exclude_mechanism=[
                each for each in ("PLAIN", "LOGIN") if each not in _mechanisms(server)
            ],
            authenticator=self._check_credentials,
            timeout=server.idle_seconds,
        )
        # Not by its parameter: aiosmtpd warns of sign-in without TLS, which loopback is fine with.
        self._auth_required = server.auth is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.server.open_connections.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.server.open_connections.discard(self)
        super().connection_lost(error)

    def cut(self) -> None:
        transport = self._original_transport or self.transport
        if isinstance(transport, asyncio.Transport):
            transport.abort()

    async def push(self, status: str | bytes) -> None:
        text = status if isinstance(status, str) else status.decode()
        if not self.greeted:
            self.greeted = True
            text = self.server.response("greeting") or text
        await super().push(text)
        if text.startswith("421") and self.transport is not None:
            self.transport.close()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        response = self.server.response("data")
        if response is None:
            await super().smtp_DATA(arg)
        else:
            await self.push(response)

    async def _call_handler_hook(self, command: str, *args: Any) -> Any:
        self.server.commands.append(command)
        return await super()._call_handler_hook(command, *args)

    def _check_credentials(
        self, smtp: SMTP, session: Session, envelope: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self.server.auth, handled=False, auth_data=data)


def _mechanisms(server: "SmtpServer") -> Sequence[str]:
    return server.auth_mechanisms if server.auth is not None else ()
