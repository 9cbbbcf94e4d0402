"""From a letter to the exact bytes of a message (RFC 5322, RFC 2046 alternative text and HTML).

Does not decide who gets it or when; given the same letter it writes the same bytes.
"""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from hashlib import sha256

from django.template.loader import render_to_string

from integration_alerts.mail.letters import Letter, one_line

_HEADERS = [
    b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"MIME-Version",
    b"Content-Type",
]  # fmt: skip


def render(letter: Letter, *, sender: str, address: str, message_id: str, date: datetime) -> bytes:
    """The message; `sender` is `Name <address>`, `address` the reader's plain address.

    Raises ValueError when a header cannot hold what it is given.
    """
    # Only an internationalised local part needs a server with SMTPUTF8 (RFC 6531).
    policy = SMTP if address.rpartition("@")[0].isascii() else SMTPUTF8
    message = EmailMessage(policy=policy)
    name, sender_address = parseaddr(sender)
    message["From"] = _mailbox(name, sender_address)
    message["To"] = _mailbox(letter.reader, address)
    message["Subject"] = _plain(letter.subject)
    message["Date"] = format_datetime(date)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 section 5: no out-of-office answers
    context = {
        "letter": letter,
        "reader": one_line(letter.reader),
        "account": one_line(letter.account),
        "company": one_line(letter.notice.company),
        "provider": one_line(letter.notice.provider),
    }
    message.set_content(render_to_string("mail/notice.txt", context), cte="quoted-printable")
    html = render_to_string("mail/notice.html", context)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    for part in message.iter_parts():
        del part["MIME-Version"]  # belongs to the message alone (RFC 2045 section 4)
    # Python would draw the boundary at random; a message must be the same each time it is made.
    message.set_boundary(f"=_{sha256(message_id.encode()).hexdigest()[:32]}")
    written = message.as_bytes()
    _check_headers(written)
    return written


def _mailbox(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    if local.isascii() and not domain.isascii():
        domain = domain.encode("idna").decode()
    return Address(display_name=_plain(one_line(name)), username=local, domain=domain)


def _plain(text: str) -> str:
    # Python takes what looks like an encoded word (RFC 2047) for one, and decodes line breaks and
    # all. Text from outside is never one; a space keeps it what it looks like.
    return text.replace("=?", "= ?")


def _check_headers(written: bytes) -> None:
    """Raise ValueError if the message has other headers than the ones that were meant."""
    head = written.partition(b"\r\n\r\n")[0]
    lines = [line for line in head.split(b"\r\n") if not line.startswith((b" ", b"\t"))]
    found = [line.partition(b":")[0] for line in lines]
    if found != _HEADERS:
        raise ValueError(f"unexpected headers: {b', '.join(found).decode(errors='replace')}")
