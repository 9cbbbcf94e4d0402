"""From a letter to the exact bytes of a message (RFC 5322, RFC 2046 alternative text and HTML).

Does not decide who gets it or when; given the same letter it writes the same bytes.
"""

import re
from binascii import b2a_qp
from dataclasses import dataclass
from email.utils import parseaddr
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.template import Context, Engine, Template

from integration_alerts.mail.brand import OUR_NAME
from integration_alerts.mail.content import ROOMS, Content, content
from integration_alerts.mail.headers import Envelope, Names, header
from integration_alerts.mail.letters import Letter

MOST_BYTES = 100_000  # Gmail shows no more than about 102 kB
_GAPS = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Parts:
    """A mail as a reader sees it."""

    subject: str
    text: str
    html: str


def render(letter: Letter, envelope: Envelope) -> bytes:
    """The message, of fewer than 100 kB; raises ValueError when a header cannot hold its value."""
    message = b""
    for room in ROOMS:
        message = _message(letter, content(letter, room), envelope)
        if len(message) < MOST_BYTES:
            break
    return message


def parts(said: Content) -> Parts:
    """What the two parts say, before they are encoded."""
    context = {"mail": said, "body": said.body, "button": _template("button.html")}
    text = _template("letter.txt").render(Context(context, autoescape=False))
    html = _template("letter.html").render(Context(context))
    return Parts(said.subject, _GAPS.sub("\n\n", text).strip() + "\n", html.strip())


def _message(letter: Letter, said: Content, envelope: Envelope) -> bytes:
    names = Names(
        sender=_sender_name(said, envelope),
        reader=letter.reader,
        account=letter.account,
        subject=said.subject,
        reply_to=said.brand.reply_to,
        unsubscribe_url=said.links.unsubscribe,
    )
    written = parts(said)
    # Drawn from the Message-ID: a message must be the same each time it is made.
    boundary = f"=_{sha256(envelope.message_id.encode()).hexdigest()[:32]}"
    return b"".join(
        (
            header(names, envelope, letter.written_at).encode(),
            b"MIME-Version: 1.0\r\n",
            f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'.encode(),
            _part("plain", written.text, boundary),
            _part("html", written.html, boundary),
            f"--{boundary}--\r\n".encode(),
        )
    )


def _sender_name(said: Content, envelope: Envelope) -> str:
    return said.brand.name if said.brand.name != OUR_NAME else parseaddr(envelope.sender)[0]


def _part(kind: str, text: str, boundary: str) -> bytes:
    head = (
        f'--{boundary}\r\nContent-Type: text/{kind}; charset="utf-8"\r\n'
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    body = "\r\n".join(text.strip("\n").split("\n"))
    return head.encode() + b2a_qp(body.encode()) + b"\r\n"


@cache
def _template(name: str) -> Template:
    """Compiled once a process; without the settings of the pages, which mails have no use for."""
    engine = Engine(
        dirs=[str(Path(__file__).parent / "templates" / "mail")],
        libraries={"folding": "integration_alerts.mail.templatetags.folding"},
    )
    return engine.get_template(name)
