"""The header of a message, line by line (RFC 5322): folded at 78, names as RFC 2047 encodes them.

Written by hand, because Python's own policy takes longer to fold a header than everything else of a
mail takes together. Nothing that comes from outside can end a line: what could is refused.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.headerregistry import Address
from email.utils import format_datetime, parseaddr
from functools import lru_cache

from msgspec import Struct

from integration_alerts.mail.text import one_line

_WIDTH = 78  # RFC 5322 section 2.1.1
_ENCODED_WIDTH = 76  # of a line with an encoded word in it (RFC 2047 section 2)
_QUOTED = 64  # characters of a name in quotes
_MOST_REFERENCES = 10
_ATOM = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+"
_ATOMS = re.compile(rf"(?: |{_ATOM})+")
_DOT_ATOM = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_MESSAGE_ID = re.compile(r"<[^<>@\s]+@[^<>@\s]+>")


class Envelope(Struct, frozen=True):
    """From where to where a mail goes, and what it belongs to."""

    sender: str  # `Name <address>`
    address: str  # the reader's
    message_id: str
    account_id: int
    earlier: Sequence[str] = ()  # Message-IDs of earlier mails about the same, oldest first


class Names(Struct, frozen=True):
    """The words in a header."""

    sender: str
    reader: str
    account: str
    subject: str
    reply_to: str
    unsubscribe_url: str


def header(names: Names, envelope: Envelope, date: datetime) -> str:
    """All fields but those of MIME, each ended by CRLF; raises ValueError for what cannot be one.

    List-Unsubscribe is RFC 2369, its one click RFC 8058; List-Id RFC 2919; Auto-Submitted RFC 3834
    section 5 (no out-of-office answers).
    """
    address = mailbox(envelope.sender)[1]
    fields: list[tuple[str, Iterable[str]]] = [
        ("From", _mailbox("From", names.sender, address)),
        ("To", _mailbox("To", names.reader, envelope.address)),
        ("Subject", _words("Subject", names.subject)),
        ("Date", [_date(date)]),
        ("Message-ID", [_message_id(envelope.message_id)]),
        *_thread(envelope.earlier),
        *_list(names, envelope, address),
        ("Auto-Submitted", ["auto-generated"]),
    ]
    if names.reply_to:
        fields.insert(1, ("Reply-To", _mailbox("Reply-To", names.sender, names.reply_to)))
    return "".join(_folded(name, tokens) for name, tokens in fields)


@lru_cache(maxsize=64)
def mailbox(sender: str) -> tuple[str, str]:
    """Name and address of `Name <address>`."""
    return parseaddr(sender)


# The mails of a batch are written at one instant.
@lru_cache(maxsize=64)
def _date(date: datetime) -> str:
    return format_datetime(date)


def _list(names: Names, envelope: Envelope, sender: str) -> list[tuple[str, Iterable[str]]]:
    """What every mail of an alert has; a mail that there is no unsubscribing from is of none."""
    if not names.unsubscribe_url:
        return []
    list_id = f"<alerts.account-{envelope.account_id}.{_domain(sender) or 'localhost'}>"
    return [
        ("List-Id", [*_phrase("List-Id", names.account), list_id]),
        ("List-Unsubscribe", [f"<{names.unsubscribe_url}>"]),
        ("List-Unsubscribe-Post", ["List-Unsubscribe=One-Click"]),
    ]


def _folded(name: str, tokens: Iterable[str]) -> str:
    """A field in lines of 78 characters, of which none is empty but for the name."""
    field, width = f"{name}:", len(name) + 1
    for place, token in enumerate(tokens):
        if not token.isprintable():
            raise ValueError(f"{name} cannot hold {token!r}")
        if place and width + 1 + len(token) > _WIDTH:
            field, width = f"{field}\r\n", 0
        field, width = f"{field} {token}", width + 1 + len(token)
    return f"{field}\r\n"


def _thread(earlier: Sequence[str]) -> list[tuple[str, list[str]]]:
    """What makes an incident one thread in a mail program (RFC 5322 section 3.6.4)."""
    if not earlier:
        return []
    known = [_message_id(each) for each in earlier]
    if len(known) > _MOST_REFERENCES:
        known = [known[0], *known[1 - _MOST_REFERENCES :]]
    return [("In-Reply-To", [known[-1]]), ("References", known)]


def _mailbox(field: str, name: str, address: str) -> list[str]:
    local, _, domain = address.rpartition("@")
    # Only an internationalised local part needs a server with SMTPUTF8 (RFC 6531).
    domain = _domain(address) if local.isascii() else domain
    address = f"{local}@{domain}"
    if not domain or not _DOT_ATOM.fullmatch(local):  # to be quoted
        address = Address(username=local, domain=domain).addr_spec
    return [*_phrase(field, name), f"<{address}>"]


def _domain(address: str) -> str:
    domain = address.rpartition("@")[2]
    return domain if domain.isascii() else domain.encode("idna").decode()


def _phrase(field: str, name: str) -> list[str]:
    """A name in front of an address, as the words that it may be folded between.

    One encoded word at most: parsers are at odds about two of them in a name, Python's reads a
    space in between. The text of the mail has the whole name.
    """
    name = _plain(one_line(name))
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    if not name.isascii() or len(escaped) > _QUOTED:
        first, *rest = _pieces(field, name)
        cut = _pieces(field, f"…{first}")[0] if rest else ""
        return [_encoded_word(f"{cut[1:].rstrip()}…" if rest else first)]
    if _ATOMS.fullmatch(name):
        return name.split()
    return [f'"{escaped}"'] if name else []


def _words(field: str, text: str) -> list[str]:
    text = _plain(one_line(text))
    return text.split() if text.isascii() else list(map(_encoded_word, _pieces(field, text)))


def _pieces(field: str, text: str) -> list[str]:
    """A text in pieces, each of which fits behind the field's name as an encoded word."""
    room = (_ENCODED_WIDTH - len(f"{field}: ") - len(_encoded_word(""))) // 4 * 3
    pieces, piece, size = [], "", 0
    for character in text:
        size += len(character.encode(errors="replace"))
        if size > room:
            pieces.append(piece)
            piece, size = "", len(character.encode(errors="replace"))
        piece += character
    return [*pieces, piece]


def _encoded_word(text: str) -> str:
    return f"=?utf-8?b?{b64encode(text.encode(errors='replace')).decode()}?="


def _plain(text: str) -> str:
    # Mail programs take what looks like an encoded word for one, and decode line breaks and all.
    # Text from outside is never one; a space keeps it what it looks like.
    return text.replace("=?", "= ?")


def _message_id(text: str) -> str:
    if not _MESSAGE_ID.fullmatch(text):
        raise ValueError(f"{text!r} is no Message-ID")
    return text
