"""Turns the bytes of an email into what django-anymail sends.

Nothing is written anew: subject, texts, addresses and headers are those of the bytes. Most services
put the message together themselves; those that take it as it is get the bytes.
"""

from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage, Message
from email.policy import compat32, default
from typing import Any

from django.core.mail import EmailMultiAlternatives

from integration_alerts.mail.esps import EspKind
from integration_alerts.mail.reading import part

# What the service writes itself, or is told in another way.
_NOT_PASSED_ON = frozenset(
    {"from", "to", "cc", "bcc", "subject", "reply-to", "date", "mime-version", "dkim-signature",
     "sender", "received", "return-path"}
)  # fmt: skip
_RAW = frozenset({"amazon_ses"})


class _AsItIs(EmailMultiAlternatives):
    """A message that is not put together again by services that take whole messages."""

    raw: bytes = b""

    def message(self, **_: object) -> Any:
        """The message of the bytes."""
        return message_from_bytes(self.raw, policy=compat32)


def as_anymail(
    raw: bytes, recipient: str, kind: EspKind, reference: str = ""
) -> EmailMultiAlternatives:
    """The same email for django-anymail: to `recipient` alone, without any tracking.

    Args:
        raw: The email.
        recipient: Where it goes; a name before the address is taken from the header.
        kind: The service that it is for.
        reference: What its webhooks will call the email, if it can be told.
    """
    message = message_from_bytes(raw, policy=default)
    made = (_AsItIs if kind.backend in _RAW else EmailMultiAlternatives)(
        subject=str(message["Subject"] or ""),
        body=part(message, "plain"),
        from_email=str(message["From"] or ""),
        to=[_named(message, recipient)],
        reply_to=[str(address) for address in _addresses(message, "Reply-To")],
        headers=_headers(message_from_bytes(raw, policy=compat32), kind),
    )
    if html := part(message, "html"):
        made.attach_alternative(html, "text/html")
    if isinstance(made, _AsItIs):
        made.raw = raw
    if reference and kind.takes_reference:
        made.metadata = {"email": reference}  # type: ignore[attr-defined]
    if kind.tracks_by_message:
        made.track_opens = made.track_clicks = False  # type: ignore[attr-defined]
    return made


def _headers(message: "Message[str, str]", kind: EspKind) -> dict[str, str]:
    """As they stand in the bytes, unfolded: still encoded (RFC 2047), so plain ASCII."""
    left_out = _NOT_PASSED_ON | kind.own_headers
    ours = {
        name: "".join(str(value).splitlines())
        for name, value in message.items()
        if name.lower() not in left_out and not name.lower().startswith("content-")
    }
    return ours | dict(kind.headers)


def _named(message: EmailMessage, recipient: str) -> str:
    for address in _addresses(message, "To"):
        if address.addr_spec == recipient and address.display_name:
            return str(address)
    return recipient


def _addresses(message: EmailMessage, header: str) -> tuple[Address, ...]:
    return () if message[header] is None else message[header].addresses
