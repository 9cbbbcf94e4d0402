"""What a report that a mail came back says of the address, and when mail to it is held back.

A wrong suppression silences somebody who should be told; a missing one costs the sender's good
name. So only what speaks of the mailbox itself is `hard`. A full mailbox, a message that is too
large, a refusal by content or policy, and trouble of a server say that this mail did not arrive,
not that the next one will not: they are `soft`, whatever their class.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class BounceKind(StrEnum):
    """What a server or a recipient said about a mail that had been accepted."""

    HARD = "hard"  # there is no such mailbox, for good
    SOFT = "soft"  # this mail was not delivered, another one may be
    COMPLAINT = "complaint"  # the recipient reported it as spam (RFC 5965)


class Fault(StrEnum):
    """Why a mail came back; the text is what people read."""

    NO_MAILBOX = "the mailbox does not exist"
    NO_DOMAIN = "the domain takes no mail"
    DISABLED = "the mailbox is disabled"
    FULL = "the mailbox is full"
    TOO_LARGE = "the mail was too large for the mailbox"
    REFUSED = "the mail was refused for its content or by a policy"
    UNDELIVERABLE = "the mail could not be delivered"
    COMPLAINT = "the recipient reported a mail as spam"


@dataclass(frozen=True, slots=True)
class SoftLimit:
    """So many emails that came back softly within so long hold mail to the address back."""

    emails: int = 3
    within: timedelta = timedelta(days=7)


SOFT_LIMIT = SoftLimit()
OLDEST = timedelta(days=30)
"""A report about an email that was sent longer ago is stale: mail servers give up after 5 days."""

_HARD = frozenset({Fault.NO_MAILBOX, Fault.NO_DOMAIN, Fault.DISABLED})

# RFC 3463 and the IANA registry of enhanced status codes; the details of class 5 (`5.x.y`).
_BY_CODE = {
    "1.0": Fault.NO_MAILBOX,
    "1.1": Fault.NO_MAILBOX,
    "1.2": Fault.NO_DOMAIN,
    "1.3": Fault.NO_MAILBOX,
    "1.4": Fault.NO_MAILBOX,
    "1.6": Fault.NO_MAILBOX,  # moved, without a new address
    "1.10": Fault.NO_DOMAIN,  # null MX (RFC 7505)
    "2.1": Fault.DISABLED,
    "2.2": Fault.FULL,
    "2.3": Fault.TOO_LARGE,
    "3.4": Fault.TOO_LARGE,
    "4.1": Fault.NO_MAILBOX,  # Exchange refuses unknown recipients at its edge with it
    "4.4": Fault.NO_DOMAIN,  # unable to route: Postfix for a domain that does not exist
    "4.310": Fault.NO_DOMAIN,  # Exchange: the domain does not exist
}
# What servers say where their code says nothing, or something else; the first match counts.
_BY_WORDS = (
    (re.compile(r"quota|mailbox (is )?full|insufficient .*storage"), Fault.FULL),
    (re.compile(r"too (large|big)|size limit|exceeds .*size"), Fault.TOO_LARGE),
    (
        re.compile(r"spam|block(ed|list)|blacklist|policy|reputation|dmarc|\bspf\b|\brate\b"),
        Fault.REFUSED,
    ),
    (re.compile(r"disabled|inactive|suspended|no longer (active|available)"), Fault.DISABLED),
    (
        re.compile(
            r"user (is )?unknown|unknown (user|recipient|mailbox)|no such (user|mailbox|recipient)"
            r"|does(n't| not) exist|recipientnotfound|unrouteable|mailbox (unavailable|not found)"
        ),
        Fault.NO_MAILBOX,
    ),
)
# Codes whose meaning the words decide: unspecified ones; 5.2.1, with which Gmail also answers for a
# mailbox that gets mail too quickly; 5.1.10, which is Exchange's for an unknown recipient.
_ASK_WORDS = frozenset({"0.0", "2.0", "2.1", "1.10"})


def fault(status: str, words: str) -> Fault:
    """Why a mail came back, by its enhanced status code (such as 5.1.1) and the server's words."""
    said = words.lower()
    told = next((found for pattern, found in _BY_WORDS if pattern.search(said)), None)
    group, _, detail = status.partition(".")
    known = _BY_CODE.get(detail)
    if group != "5":
        return known if known in (Fault.FULL, Fault.TOO_LARGE) else Fault.UNDELIVERABLE
    if detail in _ASK_WORDS and told is not None:
        return told
    if known is not None:
        return known
    if detail.startswith(("6.", "7.")):
        return Fault.REFUSED
    return Fault.UNDELIVERABLE


def kind(found: Fault, status: str) -> BounceKind:
    """Whether this is the end of the address (`hard`), or of this mail only (`soft`)."""
    if found is Fault.COMPLAINT:
        return BounceKind.COMPLAINT
    return BounceKind.HARD if found in _HARD and status.startswith("5") else BounceKind.SOFT


def suppresses(found: BounceKind, soft_emails: int) -> bool:
    """Whether mail to the address is held back from now on.

    `soft_emails` is how many emails to it came back softly within `SOFT_LIMIT.within`, with this.
    """
    return found is not BounceKind.SOFT or soft_emails >= SOFT_LIMIT.emails
