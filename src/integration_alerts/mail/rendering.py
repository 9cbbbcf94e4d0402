"""From a letter to the exact bytes of a message (RFC 5322, RFC 2046 alternative text and HTML).

Does not decide who gets it or when; given the same letter it writes the same bytes.
"""

from binascii import b2a_qp
from hashlib import sha256

from integration_alerts.mail.brand import OUR_NAME
from integration_alerts.mail.content import ROOMS, Content, content
from integration_alerts.mail.filling import plain, quoted_html
from integration_alerts.mail.headers import Envelope, Names, header, mailbox
from integration_alerts.mail.letters import Letter

MOST_BYTES = 100_000  # Gmail shows no more than about 102 kB


def render(letter: Letter, envelope: Envelope) -> bytes:
    """The message, of fewer than 100 kB; raises ValueError when a header cannot hold its value."""
    message = b""
    for room in ROOMS:
        message = _message(letter, content(letter, room), envelope)
        if len(message) < MOST_BYTES:
            break
    return message


def _message(letter: Letter, said: Content, envelope: Envelope) -> bytes:
    names = Names(
        sender=_sender_name(said, envelope),
        reader=letter.reader,
        account=letter.account,
        subject=said.subject,
        reply_to=said.brand.reply_to,
        unsubscribe_url=said.links.unsubscribe,
    )
    # Drawn from the Message-ID: a message must be the same each time it is made.
    boundary = f"=_{sha256(envelope.message_id.encode()).hexdigest()[:32]}"
    return b"".join(
        (
            header(names, envelope, letter.written_at).encode(),
            b"MIME-Version: 1.0\r\n",
            f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'.encode(),
            _part(
                "plain", b2a_qp(plain(said).rstrip("\n").replace("\n", "\r\n").encode()), boundary
            ),
            _part("html", quoted_html(said), boundary),
            f"--{boundary}--\r\n".encode(),
        )
    )


def _sender_name(said: Content, envelope: Envelope) -> str:
    return said.brand.name if said.brand.name != OUR_NAME else mailbox(envelope.sender)[0]


def _part(kind: str, body: bytes, boundary: str) -> bytes:
    head = (
        f'--{boundary}\r\nContent-Type: text/{kind}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    return b"".join((head.encode(), body, b"\r\n"))
