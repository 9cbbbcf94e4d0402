"""Hands emails in over one SMTP session, one after the other, and keeps it fit for the next.

Where the server offers pipelining (RFC 2920), the next email's envelope follows the final dot of
the one before, so that each costs one round trip. Its body waits until the outcome of the one
before is durable: at any moment, at most one email of a connection may have been accepted without
our knowing (R24). Judges nothing: `rules.retry` says what an answer means, and `mail.smtp` which
connection to use.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from integration_alerts.mail.smtp_envelope import AddressError, Outgoing
from integration_alerts.mail.smtp_session import SmtpSession, kind
from integration_alerts.rules.retry import Answer, Phase

_LAST_WORDS_SECONDS = 1.0
_SERVICE_CLOSING = 421
# An email whose envelope waited longer than this is asked about again before its body goes (R10).
_STALE_SECONDS = 0.5


class Outgoings(Protocol):
    """Where a connection takes further emails from; see `mailers.Source`."""

    def take(self) -> Outgoing | None:
        """The next one, which may begin now."""

    def at_hand(self) -> Outgoing | None:
        """The next one, if nobody has to be waited for to know it."""

    def still_wanted(self, mail: Outgoing) -> bool:
        """Whether one that was taken may still begin; if not, no answer is expected."""

    def answered(self, mail: Outgoing, answer: Answer) -> None:
        """Note what became of one; durable when it returns."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """An email of which the server has seen nothing: the connection was not there any more."""

    mail: Outgoing
    answer: Answer


class SmtpConnection:
    """An open session and whether it can be used again. Not for two threads at once."""

    def __init__(self, session: SmtpSession) -> None:
        self._session = session
        self._timeouts = session.timeouts
        self._pipelines = session.offers("pipelining")
        self._announced_at = 0.0
        self.usable = True
        """Whether another email can be sent over this connection."""
        self.emails = 0
        """How many it has dealt with."""

    def send_all(self, first: Outgoing, more: Outgoings) -> Unsent | None:
        """Hand in this email and those that follow, as long as the connection is fit for it."""
        mail, announced = self._fitting(first, more.take, more), False
        while mail is not None:
            self.usable = False  # until the email is done, whatever happens
            answer = self._hear_envelope() if announced else self._begin(mail)
            following = None
            if answer is None:
                if announced and not self._may_go_on(mail, more):
                    return None
                answer, following = self._finish(mail, more)
            if was_dead(answer):
                return Unsent(mail, answer)
            announced = following is not None
            if not announced:
                self.usable = self._ready_again(answer)
            self.emails += 1
            more.answered(mail, answer)
            if self.usable:
                following = self._fitting(more.take(), more.take, more)
            mail = following
        return None

    def quit(self, seconds: float) -> None:
        """Close the connection, with a goodbye if the server is listening for one."""
        if self.usable:
            self._session.quit(seconds)
        else:
            self._session.close()
        self.usable = False

    def _fitting(
        self, mail: Outgoing | None, take: Callable[[], Outgoing | None], more: Outgoings
    ) -> Outgoing | None:
        """The first of this and the next ones whose addresses this server understands."""
        while mail is not None:
            if mail.envelope.is_ascii or self._session.offers("smtputf8"):
                return mail
            try:
                return mail.in_ascii()
            except AddressError as error:
                more.answered(mail, error.answer)
                mail = take()
        return None

    def _begin(self, mail: Outgoing) -> Answer | None:
        """Say whom an email is for; returns a refusal, or None: the server waits for the body."""
        if self._pipelines:
            failed = self._session.tell(
                Phase.SENDER, self._timeouts.command, self._commands(mail).encode()
            )
            return failed or self._hear_envelope()
        for phase, seconds, command, expected in zip(
            _PHASES, self._waits(), self._commands(mail).splitlines(), _EXPECTED, strict=True
        ):
            answer = self._session.ask(phase, seconds, command)
            if kind(answer) != expected:
                return answer
        return None

    def _hear_envelope(self) -> Answer | None:
        """The answers to what `_commands` says, of which the first refusal counts."""
        refusal: Answer | None = None
        for phase, seconds, expected in zip(_PHASES, self._waits(), _EXPECTED, strict=True):
            answer = self._session.hear(phase, seconds)
            if kind(answer) != expected:
                refusal = refusal or answer
            elif phase is Phase.DATA and refusal is not None:
                # It takes a body for nobody: it gets an empty one (RFC 2920 section 3.1).
                self._session.ask(Phase.DATA, seconds, ".")
            if answer.code is None:
                break
        return refusal

    def _may_go_on(self, mail: Outgoing, more: Outgoings) -> bool:
        """Whether the body of an email may follow, whose envelope was sent some time ago."""
        if time.monotonic() - self._announced_at < _STALE_SECONDS or more.still_wanted(mail):
            return True
        self._session.close()  # nothing else takes back what was announced
        return False

    def _finish(self, mail: Outgoing, more: Outgoings) -> tuple[Answer, Outgoing | None]:
        """Send the body and hear the answer; announces the next email behind it, if there is one.

        The final dot is sent last: when sending fails, the server cannot have accepted.
        """
        failed = self._session.tell(Phase.DATA, self._timeouts.data, mail.data)
        if failed is None:
            following = self._announce(more) if self._pipelines else None
            return self._session.hear(Phase.ACCEPTANCE, self._timeouts.acceptance), following
        # A server that had enough of a body says why before it closes the connection.
        last_words = self._session.hear(Phase.DATA, _LAST_WORDS_SECONDS)
        self._session.close()
        return (last_words if kind(last_words) in (4, 5) else failed), None

    def _announce(self, more: Outgoings) -> Outgoing | None:
        following = self._fitting(more.at_hand(), more.at_hand, more)
        if following is not None:  # should it not get through, its answers will be missing
            self._announced_at = time.monotonic()
            commands = self._commands(following).encode()
            self._session.tell(Phase.SENDER, self._timeouts.command, commands)
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

    def _ready_again(self, answer: Answer) -> bool:
        """Clear up after an email; False, with the connection closed, if it is no longer fit."""
        fit = kind(answer) == 2 and answer.phase is Phase.ACCEPTANCE
        if kind(answer) in (4, 5) and answer.code != _SERVICE_CLOSING:
            fit = kind(self._session.ask(answer.phase, self._timeouts.command, "RSET")) == 2
        if not (fit and self._session.in_step):
            self._session.close()
            return False
        return True


_PHASES = (Phase.SENDER, Phase.RECIPIENT, Phase.DATA)
_EXPECTED = (2, 2, 3)  # the kinds of their answers when all is well


def was_dead(answer: Answer) -> bool:
    """Whether a connection was no longer there for an email: it failed at the first command."""
    return answer.phase is Phase.SENDER and answer.code in (None, _SERVICE_CLOSING)
