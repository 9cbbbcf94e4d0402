"""What a returned message says: a failed delivery (RFC 3464), or a complaint (RFC 5965).

Pure: bytes in, a value out. Also reads what Exim and qmail write without RFC 3464. Which email it
is about, and what follows from it, is `bounces`. Delays and other news are no bounce. Anybody may
write to the bounce address: what is read has limits, so that no message takes long.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message
from email.parser import HeaderParser
from email.policy import Compat32
from enum import StrEnum
from itertools import islice
from typing import cast

from integration_alerts.mail.text import one_line
from integration_alerts.rules.suppression import BounceKind, Fault, fault, kind

DSN, ARF = "dsn", "arf"
LARGEST = 1 << 20  # bytes of a returned message: it has at most a copy of our own mail in it
_DIAGNOSTIC_LIMIT = 500
# Reports begin with what matters here, and have two or three parts of short fields. The standard
# parser takes minutes of a processor for some messages of 1 MB that are none.
_BYTES_READ = 1 << 18
_MOST_BOUNDARIES = 50
_LONGEST_FIELD = 2_000  # characters, also of what is told to people
_MOST_RECIPIENTS = 100
# Read as text: the standard parser knows delivery-status only, and neither of them encoded.
_TYPES = re.compile(rb"message/((?:global-)?delivery-status|feedback-report)", re.IGNORECASE)
_BOUNDARY = re.compile(rb"boundary", re.IGNORECASE)
_STATUS_TYPES = ("text/x-global-delivery-status", "text/x-delivery-status")
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_ENHANCED = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])")
_REPLY = re.compile(r"(?<!\d)([245])\d\d[ -]")
_PLAIN_FAILURE = re.compile(
    r"could not be delivered|permanent error|I'm afraid I wasn't able to deliver", re.IGNORECASE
)


class _ShortFields(Compat32):
    """Cuts long header fields off before anything looks into them."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        """Name and value of a field, as the base class finds them."""
        name, value = super().header_source_parse(sourcelines)
        return name, value[:_LONGEST_FIELD]


_POLICY = _ShortFields()


class NoBounce(StrEnum):
    """Why a message is no bounce; the text is the reason that the sender of it reads."""

    NO_REPORT = "the message is neither a delivery report nor a complaint"
    NOT_FAILED = "the report tells of no failed delivery"


@dataclass(frozen=True, slots=True)
class Report:
    """An email came back, or was complained about."""

    kind: BounceKind
    fault: Fault
    status: str  # the enhanced status code, such as 5.1.1; empty for a complaint
    diagnostic: str  # the server's words, one line
    source: str  # `dsn`, `arf`, or the ESP whose webhook told

    @property
    def reason(self) -> str:
        """Why it came back, in plain words and the server's."""
        return f"{self.fault.value} ({self.diagnostic})" if self.diagnostic else self.fault.value


def returned(status: str, words: str, source: str) -> Report:
    """A report of a failed delivery, judged by its status code and the server's words."""
    diagnostic = _words(re.sub(r"^\s*[\w-]+;", "", words))  # RFC 3464 2.3.6: `smtp; 550 …`
    told = _ENHANCED.search(words)
    # Many servers put a general code into the field and the telling one into their words.
    if told and (not status or status[2:] == "0.0"):
        status = told[1]
    if not status and (reply := _REPLY.search(words)):
        status = f"{reply[1]}.0.0"
    status = status or "5.0.0"
    found = fault(status, diagnostic)
    return Report(kind(found, status), found, status, diagnostic, source)


def complaint(source: str, words: str = "") -> Report:
    """A report that the recipient called the mail spam."""
    return Report(BounceKind.COMPLAINT, Fault.COMPLAINT, "", _words(words), source)


def read(raw: bytes) -> Report | NoBounce:
    """What a message that came to the bounce address says."""
    try:
        message = _parsed(raw)
        return NoBounce.NO_REPORT if message is None else _read(message)
    except RecursionError:  # parts within parts without end
        return NoBounce.NO_REPORT


def recipients(raw: bytes) -> list[str]:
    """The addresses that a message may have come to, or speak of: where to look for a signature.

    A complaint comes to an address that is agreed with the provider; the return path is in it.
    """
    try:
        message = _parsed(raw)
        if message is None:
            return []
        found = [_text(message, name) for name in ("Delivered-To", "X-Original-To", "To")]
        for part in message.walk():
            if part.get_content_type() == "text/x-feedback-report":
                found += [_text(fields, "Original-Mail-From") for fields in _groups(part)]
            found.append(_text(part, "Return-Path"))
    except RecursionError:
        return []
    words = (word for text in found for word in re.split(r"[\s<>,;]+", text))
    return [word for word in words if "@" in word[1:-1]]


def _parsed(raw: bytes) -> Message | None:
    """The message; None: it has more parts than any report."""
    raw = raw[:_BYTES_READ]
    if len(_BOUNDARY.findall(raw)) > _MOST_BOUNDARIES:
        return None
    return message_from_bytes(_TYPES.sub(rb"text/x-\1", raw), policy=_POLICY)


def _read(message: Message) -> Report | NoBounce:
    payload = message.get_payload()
    parts = cast("list[Message]", payload) if message.is_multipart() else []
    for part in parts:
        if part.get_content_type() in _STATUS_TYPES:
            return _of_groups(_groups(part), _told(_body(parts[0])))
        if part.get_content_type() == "text/x-feedback-report":
            return _of_feedback(next(_groups(part), Message()))
    return _of_text(message)


def _of_groups(groups: Iterator[Message], told: str) -> Report | NoBounce:
    """RFC 3464 2.3: one group of fields a recipient, after that of the message.

    Without a Diagnostic-Code (Exim, where no other server was asked) what is told to people counts.
    """
    failed = [
        returned(_status(fields), _diagnostic(fields) or told, DSN)
        for fields in groups
        if _text(fields, "Action").casefold() == "failed"
    ]
    # An email of ours has one recipient; where an alias made more of it, the worst counts.
    failed = [report for report in failed if not report.status.startswith("2")]
    failed.sort(key=lambda report: report.kind is not BounceKind.HARD)
    return failed[0] if failed else NoBounce.NOT_FAILED


def _of_feedback(fields: Message) -> Report | NoBounce:
    """RFC 5965 3.1: of the types of feedback, these say that the recipient did not want it."""
    wanted = _text(fields, "Feedback-Type").casefold() in ("abuse", "fraud", "opt-out")
    return complaint(ARF) if wanted else NoBounce.NOT_FAILED


def _of_text(message: Message) -> Report | NoBounce:
    """What Exim and qmail write for people: the failed address, and below it the server's words."""
    body = _body(message)
    # Exim names failed addresses in a header; qmail begins its text as it has since 1996.
    if "X-Failed-Recipients" not in message and not body.startswith("Hi. This is the qmail-send"):
        return NoBounce.NO_REPORT
    told = _told(body)
    return returned("", told, DSN) if told else NoBounce.NOT_FAILED


def _told(body: str) -> str:
    """The server's words in a text for people: what is indented or bracketed below "failed"."""
    failure = _PLAIN_FAILURE.search(body)
    if failure is None:
        return ""
    # The returned message itself comes below a line of dashes.
    below = re.split(r"^---", body[failure.end() :], maxsplit=1, flags=re.MULTILINE)[0]
    return (below.partition("failed:")[2] or below.partition(">:")[2])[:_LONGEST_FIELD]


def _status(fields: Message) -> str:
    found = _STATUS.match(_text(fields, "Status"))
    return found[0] if found else ""


def _diagnostic(fields: Message) -> str:
    return _text(fields, "Diagnostic-Code")


def _groups(part: Message) -> Iterator[Message]:
    text = _body(part).strip()
    for block in islice(re.split(r"\n[ \t]*\n", text), _MOST_RECIPIENTS):
        yield HeaderParser(policy=_POLICY).parsestr(block)


def _body(part: Message) -> str:
    payload = part.get_payload(decode=True)
    text = payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
    return text.replace("\r\n", "\n")


def _words(text: str) -> str:
    return one_line(text)[:_DIAGNOSTIC_LIMIT]


def _text(fields: Message, name: str) -> str:
    return " ".join(str(fields.get(name, "")).split())
