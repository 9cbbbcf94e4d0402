"""Takes returned mails by LMTP (RFC 2033), for signed addresses only: no relay, no backscatter.

What a mail means is decided in `mail.bounces`. Nothing is queued here: a mail is taken when its
report is stored, and while the database is away the mail server is asked to come again.
"""

import asyncio
import logging
import signal
from collections.abc import Callable

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import Envelope, Session
from django.db import DatabaseError, InterfaceError, connections

from integration_alerts.engine import clock
from integration_alerts.mail import bounces, dsn
from integration_alerts.mail.return_path import read_return_path

_IDLE_SECONDS = 60
_AT_ONCE = 8  # mails; further ones wait

logger = logging.getLogger(__name__)


class Lmtp(LMTP):
    """LMTP as others speak it: a report may quote lines that are longer than RFC 5321 allows."""

    line_length_limit = 1 << 16


class Desk:
    """Answers the mail server, as aiosmtpd asks."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(_AT_ONCE)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _server: LMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept a signed address. One a message, so that one answer to it is unambiguous."""
        if envelope.rcpt_tos:
            return "452 4.5.3 one recipient a message, please; send the others again"
        if read_return_path(address) is None:
            return "550 5.1.1 no such address: only return paths signed here take mail"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, _server: LMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Store what the message reports."""
        raw, recipient = envelope.original_content or b"", envelope.rcpt_tos[0]
        async with self._free:
            return await asyncio.to_thread(_take, raw, recipient)


def serve(host: str, port: int, on_ready: Callable[[], None]) -> None:
    """Listen until SIGTERM or SIGINT; what is being stored then, is."""
    asyncio.run(_serve(host, port, on_ready))


async def _serve(host: str, port: int, on_ready: Callable[[], None]) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    desk = Desk()
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells every command

    def protocol() -> Lmtp:
        return Lmtp(
            desk,
            data_size_limit=dsn.LARGEST,
            enable_SMTPUTF8=True,
            ident="Integration Alerts",
            timeout=_IDLE_SECONDS,
            loop=loop,
        )

    listening = await loop.create_server(protocol, host, port)
    on_ready()
    await stop.wait()
    listening.close()


def _take(raw: bytes, recipient: str) -> str:
    try:
        taken = bounces.take_message(raw, recipient, clock.now())
    except bounces.StillSending:
        return "451 4.3.0 the email is being sent at this moment; try again"
    except (DatabaseError, InterfaceError) as error:
        logger.warning("the database is away: %s", str(error).strip())
        return "451 4.3.0 the database is away; try again"
    finally:
        connections.close_all()
    logger.info("a mail to %s was %s %s", recipient, taken.result.value, taken.reason)
    # What is ignored is taken all the same: to refuse an answer would only bounce it once more.
    return f"250 2.0.0 {taken.result.value}"
