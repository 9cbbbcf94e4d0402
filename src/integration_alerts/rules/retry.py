"""What an SMTP server's answer means for one email, and when to try it again (SPEC R24, R25).

Says nothing about how an email is sent: `mail.smtp` does that and reports what happened.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Phase(StrEnum):
    """The step of an SMTP session that an answer belongs to, in the order of a session."""

    CONNECT = "connect"
    GREETING = "greeting"  # with EHLO
    TLS = "tls"
    AUTH = "auth"
    SENDER = "sender"  # MAIL FROM
    RECIPIENT = "recipient"  # RCPT TO
    DATA = "data"  # the DATA command, and sending the body up to the final dot
    ACCEPTANCE = "acceptance"  # the answer to the final dot


class Verdict(StrEnum):
    """What becomes of the email."""

    ACCEPTED = "accepted"
    TRANSIENT = "transient"
    PERMANENT = "permanent"


class Reason(StrEnum):
    """Why; the text is what support reads."""

    ACCEPTED = "the server has taken the email over"
    REFUSED = "the server refuses this email"
    TRY_LATER = "the server asks to try later"
    NO_ANSWER = "the server did not answer"
    ACCEPTANCE_UNKNOWN = "the answer to the whole email is missing: it may have been accepted"
    NOT_THIS_EMAIL = "the server refuses the session, whatever the email"
    RECIPIENT_LIMIT = "the server takes nothing more for this recipient now"
    UNEXPECTED = "the server's answer does not belong to this step"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back from the server, or that nothing came back."""

    phase: Phase
    code: int | None
    """The reply code; None: no answer (network fault, time-out, TLS fault)."""
    text: str
    """The server's words or a plain description: one line of at most 500 characters."""
    remote_id: str = ""
    """What an email service calls the message that it took over; its webhooks speak of it so."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict and the rule that led to it."""

    verdict: Verdict
    reason: Reason


FIRST_DELAY = timedelta(seconds=10)
LONGEST_DELAY = timedelta(hours=2)
PATIENCE = timedelta(days=5)
_DOUBLINGS_TO_LONGEST = 10  # 10 s * 2**10 is more than 2 h

_ABOUT_THE_EMAIL = frozenset({Phase.SENDER, Phase.RECIPIENT, Phase.DATA, Phase.ACCEPTANCE})

# Codes that speak of the session in every phase: 503 bad sequence of commands (RFC 5321 section
# 4.2.2); 530 STARTTLS or authentication needed (RFC 3207 section 4, RFC 4954 section 6); 534, 535,
# 538 authentication too weak, wrong, unencrypted (RFC 4954 section 6).
_ABOUT_THE_SESSION = frozenset({503, 530, 534, 535, 538})

_TOO_MANY_RECIPIENTS = 552


def decide(answer: Answer) -> Decision:
    """Judge an answer by its phase and code; its words are for people only.

    A 5xx ends an email only when it is about that email. Before MAIL FROM, or with a code that
    speaks of the session, it is about our configuration or the server as a whole: a wrong password
    must not fail 10,000 emails for good, so they wait until somebody corrects it.

    552 to RCPT TO is tried again, as RFC 5321 section 4.5.3.1.10 asks: servers use it for limits
    of the recipient (too many recipients, full mailbox) that pass. In the other phases it means
    that the email is too large, which does not pass.
    """
    if answer.code is None:
        return _transient(
            Reason.ACCEPTANCE_UNKNOWN if acceptance_unknown(answer) else Reason.NO_ANSWER
        )
    match answer.code // 100:
        case 2 if answer.phase is Phase.ACCEPTANCE:
            return Decision(Verdict.ACCEPTED, Reason.ACCEPTED)
        case 4:
            return _transient(Reason.TRY_LATER)
        case 5:
            return _decide_refusal(answer)
        case _:
            return _transient(
                Reason.ACCEPTANCE_UNKNOWN if acceptance_unknown(answer) else Reason.UNEXPECTED
            )


def verdict(answer: Answer) -> Verdict:
    """`decide` without its reason."""
    return decide(answer).verdict


def acceptance_unknown(answer: Answer) -> bool:
    """Whether the email may have been accepted although nobody said so (R24).

    That is so after the final dot when the server stays silent, or says neither yes nor no.
    """
    return answer.phase is Phase.ACCEPTANCE and (
        answer.code is None or answer.code // 100 not in (2, 4, 5)
    )


def next_attempt_at(
    attempts: int, first_attempt_at: datetime, now: datetime, jitter: float
) -> datetime | None:
    """When to try an email again after `attempts` attempts; None: give up (R25).

    The delay doubles from 10 s to 2 h, and `jitter` (0 <= jitter < 1, drawn anew each time) spreads
    it by a quarter to either side, so that emails that failed together do not come back together.
    An attempt that would fall more than 5 days after the first one is not made.
    """
    doublings = min(max(attempts - 1, 0), _DOUBLINGS_TO_LONGEST)
    delay = min(FIRST_DELAY * 2**doublings, LONGEST_DELAY)
    planned = now + delay * (0.75 + jitter / 2)
    return planned if planned <= first_attempt_at + PATIENCE else None


def _decide_refusal(answer: Answer) -> Decision:
    if answer.phase not in _ABOUT_THE_EMAIL or answer.code in _ABOUT_THE_SESSION:
        return _transient(Reason.NOT_THIS_EMAIL)
    if answer.phase is Phase.RECIPIENT and answer.code == _TOO_MANY_RECIPIENTS:
        return _transient(Reason.RECIPIENT_LIMIT)
    return Decision(Verdict.PERMANENT, Reason.REFUSED)


def _transient(reason: Reason) -> Decision:
    return Decision(Verdict.TRANSIENT, reason)
