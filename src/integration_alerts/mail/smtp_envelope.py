"""Turns addresses and a message into what may go over an SMTP connection.

Pure: it connects to nothing and does not know what a server offers.
"""

import unicodedata
from collections.abc import Callable
from typing import Self

from msgspec import Struct

from integration_alerts.mail.mailers import Parcel
from integration_alerts.rules.retry import Answer, Phase

_LONGEST_ADDRESS = 254  # a path of 256 octets without its < and > (RFC 5321 section 4.5.3.1.3)
_MAILBOX_NAME_NOT_ALLOWED = 553
_CRLF = b"\r\n"


class AddressError(ValueError):
    """An address that cannot be used; `answer` says so the way a server would."""

    def __init__(self, phase: Phase, problem: str) -> None:
        super().__init__(problem)
        text = f"the {phase}'s address cannot be used: {problem}"
        self.answer = Answer(phase, _MAILBOX_NAME_NOT_ALLOWED, text)


class Envelope(Struct, frozen=True):
    """The sender (empty: the null reverse-path) and the recipient of one email, both checked."""

    sender: str
    recipient: str

    @classmethod
    def checked(cls, sender: str, recipient: str) -> Self:
        """Let nothing near the wire that is not plainly an address, or raise AddressError."""
        return cls(
            _each(Phase.SENDER, _checked, sender) if sender else "",
            _each(Phase.RECIPIENT, _checked, recipient),
        )

    @property
    def is_ascii(self) -> bool:
        """Whether a server without SMTPUTF8 (RFC 6531) understands the addresses as they are."""
        return self.sender.isascii() and self.recipient.isascii()

    def in_ascii(self) -> "Envelope":
        """Write the domains in ASCII (IDNA), for servers without SMTPUTF8, or raise AddressError.

        The part before the @ has no ASCII form.
        """
        return Envelope(
            _each(Phase.SENDER, _in_ascii, self.sender),
            _each(Phase.RECIPIENT, _in_ascii, self.recipient),
        )


class Outgoing(Struct, frozen=True):
    """A parcel as it goes over a connection: its addresses checked, its bytes dot-stuffed."""

    parcel: Parcel
    envelope: Envelope
    data: bytes

    @classmethod
    def of(cls, parcel: Parcel) -> Self:
        """Raises AddressError."""
        envelope = Envelope.checked(parcel.sender, parcel.recipient)
        return cls(parcel, envelope, as_smtp_data(parcel.message))

    def in_ascii(self) -> "Outgoing":
        """For a server without SMTPUTF8; raises AddressError."""
        return Outgoing(self.parcel, self.envelope.in_ascii(), self.data)


def as_smtp_data(message: bytes) -> bytes:
    """The bytes that follow DATA: CRLF line ends, doubled dots, the final dot.

    RFC 5321 sections 2.3.8 and 4.5.2. A lone CR or LF becomes CRLF: receivers disagree on what it
    means, which is how emails are smuggled.
    """
    data = message
    if not data.count(_CRLF) == data.count(b"\r") == data.count(b"\n"):
        data = data.replace(_CRLF, b"\n").replace(b"\r", b"\n").replace(b"\n", _CRLF)
    if data and not data.endswith(_CRLF):
        data += _CRLF
    if data.startswith(b"."):
        data = b"." + data
    if b"\r\n." in data:  # looking takes a third of replacing
        data = data.replace(b"\r\n.", b"\r\n..")
    return data + b".\r\n"


def _each(phase: Phase, change: Callable[[str], str], address: str) -> str:
    try:
        return change(address)
    except ValueError as problem:
        raise AddressError(phase, str(problem)) from None


def _checked(address: str) -> str:
    # Line ends, NUL, and > would let an address write commands of its own. Quoted names with
    # spaces or angle brackets are legal and refused all the same: nobody has them.
    if not address.isprintable() or any(character in address for character in " <>"):
        raise ValueError("it contains a space, an angle bracket or an unprintable character")
    if len(address.encode()) > _LONGEST_ADDRESS:
        raise ValueError(f"it is longer than {_LONGEST_ADDRESS} bytes")
    name, _, domain = address.rpartition("@")
    if not name or not domain:
        raise ValueError("it is not of the form name@domain")
    return address


def _in_ascii(address: str) -> str:
    if address.isascii():
        return address
    name, _, domain = address.rpartition("@")
    if not name.isascii():
        raise ValueError("the mail server supports only ASCII characters before the @")
    try:
        encoded = domain.encode("idna")
        decoded = encoded.decode("idna")
    except UnicodeError:
        raise ValueError("its domain is not an internationalised domain name") from None
    # The standard library knows IDNA 2003, which takes some domains for others (ß for ss).
    # Better no email than one to somebody else's domain.
    if decoded != unicodedata.normalize("NFKC", domain).lower():
        raise ValueError("its domain has no unambiguous ASCII form; write it as xn--…")
    return _checked(f"{name}@{encoded.decode()}")
