"""Holds many SMTP conversations in one thread: whoever's server has said something goes on.

One thread per connection would spend a third of a worker's time on switching between them. Emails
that are settled at the same moment are noted together, and only then do their connections go on:
at any moment, at most one email of a connection may have been accepted without our knowing (R24).
Knows no SMTP: `smtp_connection` does.
"""

import contextlib
import selectors
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from integration_alerts.mail.bell import Bell
from integration_alerts.mail.mailers import Parcel, Source
from integration_alerts.mail.smtp_connection import (
    STALE_SECONDS,
    Conversing,
    Settled,
    SmtpConnection,
    Unsent,
)
from integration_alerts.mail.smtp_envelope import AddressError, Outgoing
from integration_alerts.mail.smtp_openings import Openings
from integration_alerts.mail.smtp_pool import SmtpPool
from integration_alerts.mail.smtp_session import SessionError
from integration_alerts.rules.retry import Answer

_LONG_AGO = 0.0
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


@dataclass(slots=True, eq=False)
class _Talk:
    """A connection in use."""

    connection: SmtpConnection
    steps: Conversing[Unsent | None]
    was_kept: bool
    """Whether the connection was kept open before, and may be dead by now."""
    deadline: float = 0.0
    events: int = _READ
    settled: Settled | None = None


class Conversations:
    """The emails of one source on their way, over up to so many connections at once."""

    def __init__(
        self, pool: SmtpPool, connect: Callable[[], SmtpConnection], source: Source, at_once: int
    ) -> None:
        """`connect` waits for the server and raises SessionError; it is called from any thread."""
        self._pool = pool
        self._source = source
        self._at_once = at_once
        self._talks: set[_Talk] = set()
        self._settled: list[_Talk] = []
        self._waiting: deque[tuple[Outgoing, float]] = deque()  # for a connection, since when
        self._selector = selectors.DefaultSelector()
        self._bell = Bell()
        self._openings = Openings(connect, self._bell.ring)
        self._fault: Exception | None = None

    def run(self) -> None:
        """Hand over all that the source has; raises what the source raised, once all is settled."""
        self._selector.register(self._bell.socket, _READ)
        self._source.call_when_more(self._bell.ring)
        try:
            while self._begin():
                self._go_on()
                self._note_settled()
        finally:
            self._source.call_when_more(lambda: None)
            self._close()
        if self._fault is not None:
            raise self._fault

    # What a conversation takes further emails from.

    def at_hand(self) -> Outgoing | None:
        """The next email that nobody has to be waited for, those first that wait for a server."""
        return self._next_waiting() or self._first_of(self._source.at_hand)

    def still_wanted(self, mail: Outgoing) -> bool:
        """As in `Source`."""
        try:
            return self._source.still_wanted(mail.parcel)
        except Exception as error:
            self._fault = error
            return False

    def _next_waiting(self) -> Outgoing | None:
        while self._waiting and self._fault is None:
            mail, since = self._waiting.popleft()
            if time.monotonic() - since < STALE_SECONDS or self.still_wanted(mail):
                return mail
        return None

    def _first_of(self, take: Callable[[], Parcel | None]) -> Outgoing | None:
        """The first whose addresses can stand on the wire; the others have their answer."""
        while self._fault is None and (parcel := take()) is not None:
            try:
                return Outgoing.of(parcel)
            except AddressError as error:
                self._answer([(parcel, error.answer)])
        return None

    def _begin(self) -> bool:
        """Begin what can be begun; returns whether anything is under way."""
        self._take_opened()
        if not (self._talks or self._openings.count):
            mail = self._next_waiting() or self._first_of(self._source.take)
            if mail is None:
                return False
            self._begin_with(mail)
        while self._has_room():
            # Who waits while a connection is opened for it must not have another one opened.
            waits = len(self._waiting) > self._openings.count
            mail = self._next_waiting() if waits else self._first_of(self._source.at_hand)
            if mail is None:
                break
            self._begin_with(mail)
        return True

    def _has_room(self) -> bool:
        # Until one works, one is opened at a time: a wrong password is not tried forty times.
        count = len(self._talks) + self._openings.count
        most = self._pool.allowed(self._at_once) if self._talks else 1
        return count < min(most, self._at_once)

    def _begin_with(self, mail: Outgoing) -> None:
        connection = self._pool.take()
        if connection is not None:
            self._talk(connection, mail, was_kept=True)
            return
        self._waiting.append((mail, time.monotonic()))
        self._openings.begin(apart=self._at_once > 1)

    def _take_opened(self) -> None:
        """Connections that were opened meanwhile, for the emails that wait for one."""
        for opened in self._openings.take_done():
            if isinstance(opened, SmtpConnection):
                mail = self.at_hand()
                if mail is None:
                    self._pool.give_back(opened)
                else:
                    self._talk(opened, mail, was_kept=False)
            elif not isinstance(opened, SessionError):
                raise opened
            elif self._talks:  # which go well: a refusal of one more is no email's fault
                self._pool.limit_to(len(self._talks) + self._pool.count, opened.answer)
            elif self._waiting:
                mail, _ = self._waiting.popleft()
                self._answer([(mail.parcel, opened.answer)])

    def _talk(self, connection: SmtpConnection, mail: Outgoing, *, was_kept: bool) -> None:
        talk = _Talk(connection, connection.converse(mail, self), was_kept)
        self._talks.add(talk)
        self._selector.register(connection.socket, _READ, talk)
        self._advance(talk)

    def _go_on(self) -> None:
        """Wait until something can go on, and let it."""
        if self._settled or not (self._talks or self._openings.count):
            return
        soonest = min((talk.deadline for talk in self._talks), default=None)
        wait = None if soonest is None else max(soonest - time.monotonic(), 0)
        for key, _ in self._selector.select(wait):
            if key.data is None:
                self._bell.hear()
            else:
                self._advance(key.data)
        if soonest is not None and time.monotonic() >= soonest:
            self._give_up_late_ones()

    def _give_up_late_ones(self) -> None:
        now = time.monotonic()
        for talk in [each for each in self._talks if not each.settled and each.deadline <= now]:
            self._advance(talk, TimeoutError())

    def _advance(self, talk: _Talk, fault: TimeoutError | None = None) -> None:
        try:
            step = next(talk.steps) if fault is None else talk.steps.throw(fault)
        except StopIteration as end:
            self._end(talk, end.value)
            return
        if isinstance(step, Settled):
            talk.settled = step
            self._settled.append(talk)
            if talk.connection.socket.fileno() < 0:  # a new one may get the number it had
                self._selector.unregister(talk.connection.socket)
            return
        talk.deadline = step.deadline
        events = _WRITE if step.to_send else _READ
        if events != talk.events:
            talk.events = events
            self._selector.modify(talk.connection.socket, events, talk)

    def _note_settled(self) -> None:
        """Have what came of emails noted, then let their connections go on."""
        while self._settled:
            talks, self._settled = self._settled, []
            settled = [talk.settled for talk in talks if talk.settled]
            self._answer([(each.mail.parcel, each.answer) for each in settled])
            for talk in talks:
                goes_on = self._fault is None or (talk.settled and talk.settled.amid)
                talk.settled = None
                if goes_on:
                    self._advance(talk)
                else:
                    self._drop(talk)

    def _answer(self, answers: list[tuple[Parcel, Answer]]) -> None:
        # A fault must not break off the emails of other connections: they are settled first.
        try:
            self._source.answered(answers)
        except Exception as error:
            self._fault = error

    def _end(self, talk: _Talk, unsent: Unsent | None) -> None:
        self._forget(talk)
        self._pool.give_back(talk.connection)
        if unsent is None:
            return
        if talk.was_kept or talk.connection.emails:  # the server is most likely well
            self._pool.dismiss_idle()
            self._waiting.appendleft((unsent.mail, _LONG_AGO))
        else:
            self._answer([(unsent.mail.parcel, unsent.answer)])

    def _drop(self, talk: _Talk) -> None:
        self._forget(talk)
        talk.steps.close()
        talk.connection.drop()

    def _forget(self, talk: _Talk) -> None:
        self._talks.discard(talk)
        with contextlib.suppress(KeyError, ValueError):  # it was closed, and is forgotten already
            self._selector.unregister(talk.connection.socket)

    def _close(self) -> None:
        for talk in list(self._talks):  # only after a fault in here
            self._drop(talk)
        self._selector.close()
        self._bell.close()
