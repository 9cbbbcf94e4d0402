"""The built-in inbox: catches every mail while no EMAIL_URL is set, for development and demos.

Sends nothing to anybody. Who may look into it is the faces' business.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default

from integration_alerts.directory.ids import LARGEST_ID
from integration_alerts.mail.mailers import OneByOne, Parcel, always
from integration_alerts.mail.models import InboxMessage
from integration_alerts.mail.reading import part
from integration_alerts.rules.retry import Answer, Phase


@dataclass(frozen=True, slots=True)
class CaughtMail:
    """A caught mail as a reader sees it."""

    id: int
    received_at: datetime
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    raw: bytes


class InboxMailer(OneByOne):
    """A mailer that keeps what it is given in the inbox and accepts it."""

    name = "the built-in inbox"
    probes_by_sending = False

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def send(
        self,
        parcel: Parcel,
        still_wanted: Callable[[], bool] = always,  # noqa: ARG002 (no time passes here)
    ) -> Answer:
        """Keep the message."""
        InboxMessage.objects.create(
            received_at=self._clock(),
            sender=parcel.sender,
            recipient=parcel.recipient,
            message=parcel.message,
        )
        return Answer(Phase.ACCEPTANCE, 250, "kept in the built-in inbox")

    def check(self) -> Answer:
        """Always well: there is nothing outside."""
        return Answer(Phase.ACCEPTANCE, 250, "the built-in inbox catches all mail")

    def close(self) -> None:
        """Nothing is kept open."""


def newest(limit: int, *, before: int | None = None) -> list[CaughtMail]:
    """The newest mails first, at most `limit`, older than the mail with the id `before`."""
    rows = InboxMessage.objects.order_by("-id")
    if before is not None:
        rows = rows.filter(pk__lt=min(before, LARGEST_ID))
    return [read(row) for row in rows[:limit]]


def find(message_id: int) -> CaughtMail | None:
    """One mail, or None."""
    row = InboxMessage.objects.filter(pk=min(message_id, LARGEST_ID)).first()
    return None if row is None else read(row)


def read(row: InboxMessage) -> CaughtMail:
    """Parse a caught mail as a mail program does."""
    raw = bytes(row.message)
    message = message_from_bytes(raw, policy=default)
    return CaughtMail(
        id=row.pk,
        received_at=row.received_at,
        sender=row.sender,
        recipient=row.recipient,
        subject=str(message["Subject"] or ""),
        text=part(message, "plain"),
        html=part(message, "html"),
        raw=raw,
    )
