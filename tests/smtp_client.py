"""What the tests of SMTP sending share: a mailer to a test's server, and an email for it."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from integration_alerts.mail.email_url import MailServer, Security
from integration_alerts.mail.mailers import Parcel
from integration_alerts.mail.smtp import SmtpMailer, Timeouts
from integration_alerts.rules.retry import Answer

SENDER = "alerts@example.test"
RECIPIENT = "ann@example.test"
MESSAGE = b"From: alerts@example.test\r\nMessage-ID: <1@example.test>\r\n\r\nIt broke.\r\n"
PATIENT = Timeouts(connect=5, greeting=5, command=5, data=5, acceptance=5)
SHORT = Timeouts(connect=1, greeting=0.3, command=0.3, data=0.3, acceptance=0.3)
"""For servers that stay silent."""


class Listening(Protocol):
    """Where a test's server is."""

    host: str
    port: int


@contextmanager
def mailer_to(
    server: Listening,
    security: Security = Security.STARTTLS_IF_OFFERED,
    credentials: tuple[str, str] | None = None,
    *,
    timeouts: Timeouts = PATIENT,
    trusting: ssl.SSLContext | None = None,
    idle_seconds: float = 30,
    local_hostname: str | None = None,
) -> Iterator[SmtpMailer]:
    username, password = credentials or (None, None)
    mailer = SmtpMailer(
        MailServer(server.host, server.port, security, username, password),
        timeouts=timeouts,
        idle_seconds=idle_seconds,
        local_hostname=local_hostname,
        tls_context=trusting,
    )
    try:
        yield mailer
    finally:
        mailer.close()


def send(mailer: SmtpMailer, message: bytes = MESSAGE, recipient: str = RECIPIENT) -> Answer:
    return mailer.send(Parcel(SENDER, recipient, message))
