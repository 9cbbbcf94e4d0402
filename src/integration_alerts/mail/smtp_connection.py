"""Hands emails in over one SMTP session, one after the other, and keeps it fit for the next.

A conversation comes in steps: it waits for nothing itself, `smtp_conversations` does.

Where the server offers pipelining (RFC 2920), the next email's envelope follows the final dot of
the one before, so that each costs one round trip. Its body waits until the outcome of the one
before is durable: at any moment, at most one email of a connection may have been accepted without
our knowing (R24). Judges nothing: `rules.retry` says what an answer means, and
`smtp_conversations` which connection to use.
"""

import time
from collections.abc import Callable, Generator
from typing import Protocol, TypeAlias, TypeVar

from msgspec import Struct

from integration_alerts.mail.smtp_envelope import AddressError, Outgoing
from integration_alerts.mail.smtp_session import SmtpSession, kind
from integration_alerts.mail.smtp_waits import Steps, Wait
from integration_alerts.rules.retry import Answer, Phase

_LAST_WORDS_SECONDS = 1.0
_SERVICE_CLOSING = 421
# An email whose envelope waited longer than this is asked about again before its body goes (R10).
STALE_SECONDS = 0.5


class Outgoings(Protocol):
    """Where a conversation takes further emails from."""

    def at_hand(self) -> Outgoing | None:
        """The next one, if nobody has to be waited for to know it."""

    def still_wanted(self, mail: Outgoing) -> bool:
        """Whether one that was taken may still begin; if not, no answer is expected."""


class Settled(Struct, frozen=True):
    """What became of an email. The conversation goes on once that is durable."""

    mail: Outgoing
    answer: Answer
    amid: bool = False
    """Whether the body of another email is under way: then it must go on, to hear of that one."""


class Unsent(Struct, frozen=True):
    """An email of which the server has seen no body: the connection was not there any more."""

    mail: Outgoing
    answer: Answer


Result = TypeVar("Result")
Conversing: TypeAlias = Generator[Wait | Settled, None, Result]


class SmtpConnection:
    """An open session and whether it can be used again. For one conversation at a time."""

    def __init__(self, session: SmtpSession) -> None:
        self.socket = session.unblock()
        """To be waited for."""
        self._session = session
        self._timeouts = session.timeouts
        self._pipelines = session.offers("pipelining")
        self._announced_at = 0.0
        self.usable = True
        """Whether another email can be sent over this connection."""
        self.emails = 0
        """How many it has dealt with."""

    def converse(self, first: Outgoing, more: Outgoings) -> Conversing[Unsent | None]:
        """Hand in this email and those at hand, as long as the connection is fit for it."""
        mail, announced = (yield from self._fitting(first, more.at_hand)), False
        while mail is not None:
            self.usable = False  # until the email is done, whatever happens
            answer = yield from (self._hear_envelope() if announced else self._begin(mail))
            following = None
            if answer is None:
                if announced and not self._may_go_on(mail, more):
                    return None
                answer, following = yield from self._finish(mail, more)
            if was_dead(answer):
                return Unsent(mail, answer)
            announced = following is not None
            if not announced:
                self.usable = yield from self._ready_again(answer)
            self.emails += 1
            yield Settled(mail, answer)
            if self.usable:
                following = yield from self._fitting(more.at_hand(), more.at_hand)
            mail = following
        return None

    def drop(self) -> None:
        """Close the connection without a word; it is in the middle of an email."""
        self.usable = False
        self._session.close()

    def quit(self, seconds: float) -> None:
        """Close the connection, with a goodbye if the server is listening for one."""
        if self.usable:
            self._session.quit(seconds)
        else:
            self._session.close()
        self.usable = False

    def _fitting(
        self, mail: Outgoing | None, take: Callable[[], Outgoing | None], *, amid: bool = False
    ) -> Generator[Settled, None, Outgoing | None]:
        """The first of this and the next ones whose addresses this server understands."""
        while mail is not None:
            if mail.envelope.is_ascii or self._session.offers("smtputf8"):
                return mail
            try:
                return mail.in_ascii()
            except AddressError as error:
                yield Settled(mail, error.answer, amid)
                mail = take()
        return None

    def _begin(self, mail: Outgoing) -> Steps[Answer | None]:
        """Say whom an email is for; returns a refusal, or None: the server waits for the body."""
        if self._pipelines:
            failed = yield from self._session.telling(
                Phase.SENDER, self._timeouts.command, self._commands(mail).encode()
            )
            return failed or (yield from self._hear_envelope())
        for phase, seconds, command, expected in zip(
            _PHASES, self._waits(), self._commands(mail).splitlines(), _EXPECTED, strict=True
        ):
            answer = yield from self._session.asking(phase, seconds, command)
            if kind(answer) != expected:
                return answer
        return None

    def _hear_envelope(self) -> Steps[Answer | None]:
        """The answers to what `_commands` says, of which the first refusal counts."""
        refusal: Answer | None = None
        for phase, seconds, expected in zip(_PHASES, self._waits(), _EXPECTED, strict=True):
            answer = yield from self._session.hearing(phase, seconds)
            if kind(answer) != expected:
                refusal = refusal or answer
            elif phase is Phase.DATA and refusal is not None:
                # It takes a body for nobody: it gets an empty one (RFC 2920 section 3.1).
                yield from self._session.asking(Phase.DATA, seconds, ".")
            if answer.code is None:
                break
        return refusal

    def _may_go_on(self, mail: Outgoing, more: Outgoings) -> bool:
        """Whether the body of an email may follow, whose envelope was sent some time ago."""
        if time.monotonic() - self._announced_at < STALE_SECONDS or more.still_wanted(mail):
            return True
        self._session.close()  # nothing else takes back what was announced
        return False

    def _finish(
        self, mail: Outgoing, more: Outgoings
    ) -> Conversing[tuple[Answer, Outgoing | None]]:
        """Send the body and hear the answer; announces the next email behind it, if there is one.

        The final dot is sent last: when sending fails, the server cannot have accepted.
        """
        failed = yield from self._session.telling(Phase.DATA, self._timeouts.data, mail.data)
        if failed is None:
            following = (yield from self._announce(more)) if self._pipelines else None
            answer = yield from self._session.hearing(Phase.ACCEPTANCE, self._timeouts.acceptance)
            return answer, following
        # A server that had enough of a body says why before it closes the connection.
        last_words = yield from self._session.hearing(Phase.DATA, _LAST_WORDS_SECONDS)
        self._session.close()
        return (last_words if kind(last_words) in (4, 5) else failed), None

    def _announce(self, more: Outgoings) -> Conversing[Outgoing | None]:
        following = yield from self._fitting(more.at_hand(), more.at_hand, amid=True)
        if following is not None:  # should it not get through, its answers will be missing
            self._announced_at = time.monotonic()
            commands = self._commands(following).encode()
            yield from self._session.telling(Phase.SENDER, self._timeouts.command, commands)
        return following

    def _commands(self, mail: Outgoing) -> str:
        """MAIL, RCPT and DATA."""
        envelope = mail.envelope
        parameters = ""
        if self._session.offers("size"):
            # A server that finds the email too large says so before it is sent (RFC 1870).
            parameters += f" SIZE={len(mail.data)}"
        if not (envelope.is_ascii and mail.data.isascii()) and self._session.offers("8bitmime"):
            parameters += " BODY=8BITMIME"
        if not envelope.is_ascii:
            parameters += " SMTPUTF8"
        return (
            f"MAIL FROM:<{envelope.sender}>{parameters}\r\n"
            f"RCPT TO:<{envelope.recipient}>\r\nDATA\r\n"
        )

    def _waits(self) -> tuple[float, float, float]:
        return self._timeouts.command, self._timeouts.command, self._timeouts.data

    def _ready_again(self, answer: Answer) -> Steps[bool]:
        """Clear up after an email; False, with the connection closed, if it is no longer fit."""
        fit = kind(answer) == 2 and answer.phase is Phase.ACCEPTANCE
        if kind(answer) in (4, 5) and answer.code != _SERVICE_CLOSING:
            seconds = self._timeouts.command
            fit = kind((yield from self._session.asking(answer.phase, seconds, "RSET"))) == 2
        if not (fit and self._session.in_step):
            self._session.close()
            return False
        return True


_PHASES = (Phase.SENDER, Phase.RECIPIENT, Phase.DATA)
_EXPECTED = (2, 2, 3)  # the kinds of their answers when all is well


def was_dead(answer: Answer) -> bool:
    """Whether a connection was no longer there for an email: it failed at the first command."""
    return answer.phase is Phase.SENDER and answer.code in (None, _SERVICE_CLOSING)
