"""Lanes: threads of a worker that hand claimed emails to the mailer.

One for all emails where the mailer deals with many at once; otherwise one for each email at a time.

Decides nothing about an email: `delivering` says which may begin, `rules` what an answer means.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError

from integration_alerts.mail import circuits, return_path
from integration_alerts.mail.courier import Clerks, Courier
from integration_alerts.mail.delivering import Delivery
from integration_alerts.mail.mailers import Parcel
from integration_alerts.mail.models import EmailStatus
from integration_alerts.mail.outbox import Attempt, Claimed
from integration_alerts.mail.persisting import let_go_of_connection, persist
from integration_alerts.mail.turns import await_turn
from integration_alerts.rules import circuit
from integration_alerts.rules.retry import Answer, Phase

logger = logging.getLogger(__name__)

Start = Callable[[Callable[[], None]], object]


class Lanes:
    """The lanes of a worker: more of them while emails wait, up to its slots."""

    def __init__(
        self,
        courier: Courier,
        on_more: Callable[[], None] = lambda: None,
        start: Start | None = None,
        clerks: Clerks | None = None,
    ) -> None:
        """`start` runs a function in a thread of its own; None: there is the caller's lane only."""
        self._courier = courier
        self._delivery = Delivery(courier, on_more, self._call_if_waiting, clerks)
        self._clerks = clerks
        self._start = start
        many = courier.mailer.many_at_once
        self._most, self._at_once = (1, courier.slots) if many else (courier.slots, 1)
        self._lock = threading.Lock()
        self._running: list[_Lane] = []
        self._starting = 0
        self._called = threading.Event()

    def wake(self) -> None:
        """Have what is due delivered, without waiting for it."""
        self._delivery.expect_more()
        self._called.set()
        self._call_another()

    def finish(self) -> None:
        """Give back what clerks have claimed while the lanes of a stopping worker ended."""
        if self._clerks is not None:
            self._clerks.await_idle()
        self._delivery.give_back_waiting()

    def run(self) -> int:
        """Deliver what is due in the caller's lane, until there is no more; returns how many."""
        before = self._delivery.claimed
        self._run(lambda: False)
        return self._delivery.claimed - before

    def _call_another(self) -> None:
        """Let lanes that run know that emails may wait for them, and start another."""
        with self._lock:
            running = list(self._running)
            starts = (
                self._start is not None
                and len(running) + self._starting < self._most
                and not self._courier.stopping()
            )
            self._starting += starts
        for lane in running:
            lane.call()
        if starts and self._start is not None:
            self._start(self._run_apart)

    def _run_apart(self) -> None:
        # What is due is found again by the next wake-up, or the sweep.
        try:
            self._run(lambda: await_turn(self._courier, self._called), started=1)
        except (OperationalError, InterfaceError) as error:
            logger.warning("the database is away, delivering is broken off: %s", str(error).strip())
        except Exception:
            logger.exception("delivering was broken off")

    def _run(self, await_more: Callable[[], bool], started: int = 0) -> None:
        delivery = self._delivery
        lane = _Lane(self._courier, delivery, self._call_if_waiting, self._at_once)
        with self._lock:
            self._starting -= started
            self._running.append(lane)
        try:
            self._called.clear()
            lane.run()
            while await_more():
                self._called.clear()
                delivery.expect_more()
                lane.run()
        finally:
            with self._lock:
                self._running.remove(lane)
                last = not self._running
            try:
                if last:
                    delivery.give_back_waiting()
            finally:
                let_go_of_connection()
        if delivery.expects_more():  # somebody called when this lane had come to its end
            self._call_another()

    def _call_if_waiting(self) -> None:
        if self._delivery.waiting():
            self._call_another()


@dataclass(frozen=True, slots=True)
class _Begun:
    parcel: Parcel
    email: Claimed
    at: datetime


class _Lane:
    """One thread's source of emails for the mailer (`mailers.Source`)."""

    def __init__(
        self,
        courier: Courier,
        delivery: Delivery,
        call_another: Callable[[], None],
        at_once: int,
    ) -> None:
        self._courier = courier
        self._delivery = delivery
        self._call_another = call_another
        self._at_once = at_once
        self._begun: dict[int, _Begun] = {}  # by parcel; of a connection one, and one announced
        self._instead: list[Claimed] = []  # of those that are to go, but not as they were taken
        self._faults: list[Exception] = []
        self.call: Callable[[], None] = lambda: None
        """Says that more may be at hand."""

    def run(self) -> None:
        """Hand over what is due, until there is no more of it."""
        while True:
            try:
                self._courier.mailer.send_all(self, self._at_once)
            except Exception as error:  # a mailer's own fault must not leave an email claimed
                if error in self._faults or not self._begun:
                    self._give_back_begun()  # of what is left, the server has seen no body
                    raise
                logger.exception("the mailer failed on %s emails", len(self._begun))
                # Nobody knows how far it came.
                answer = Answer(
                    Phase.ACCEPTANCE, None, f"the mailer failed: {type(error).__name__}"
                )
                try:
                    self.answered([(begun.parcel, answer) for begun in self._begun.values()])
                finally:
                    self._give_back_begun()  # those that were to go as they are now
            else:
                return

    def call_when_more(self, call: Callable[[], None]) -> None:
        """As in `Source`."""
        self.call = call

    def take(self) -> Parcel | None:
        """As in `Source`."""
        if self._instead:
            return self._begin(self._instead.pop())
        with self._ours():
            email = self._delivery.take()
        if email is None:
            return None
        self._call_another()
        return self._begin(email)

    def at_hand(self) -> Parcel | None:
        """As in `Source`."""
        email = self._instead.pop() if self._instead else self._delivery.at_hand()
        return None if email is None else self._begin(email)

    def still_wanted(self, parcel: Parcel) -> bool:
        """As in `Source`."""
        begun = self._begun[id(parcel)]
        with self._ours():
            found = self._delivery.wanted(begun.email)
        if found == begun.email:
            return True
        del self._begun[id(parcel)]
        if found is not None:
            self._instead.append(found)
        return False

    def answered(self, answers: Sequence[tuple[Parcel, Answer]]) -> None:
        """As in `Source`."""
        settled = [(self._begun.pop(id(parcel)), answer) for parcel, answer in answers]
        with self._ours():
            try:
                self._record([each for each in settled if not circuit.opens(each[1])])
            finally:
                self._refuse_all([each for each in settled if circuit.opens(each[1])])

    @contextmanager
    def _ours(self) -> Iterator[None]:
        """Faults in here are no fault of the mailer, though they come out of it."""
        try:
            yield
        except Exception as error:
            self._faults.append(error)
            raise

    def _begin(self, email: Claimed) -> Parcel:
        sender = self._courier.stationery.envelope_sender(email.id)
        parcel = Parcel(sender, email.address, email.message, return_path.token(email.id))
        self._begun[id(parcel)] = _Begun(parcel, email, self._courier.clock())
        return parcel

    def _give_back_begun(self) -> None:
        ids = [begun.email.id for begun in self._begun.values()]
        ids += [email.id for email in self._instead]
        self._begun.clear()
        self._instead.clear()
        self._delivery.give_back(ids)

    def _refuse_all(self, refused: Sequence[tuple[_Begun, Answer]]) -> None:
        """No mailer to send by: nothing counts, and everything waits."""
        if not refused:
            return
        courier, delivery = self._courier, self._delivery
        answer = refused[0][1]

        def note() -> None:
            if delivery.probing:
                circuits.note(courier.mailer, answer)
            else:
                circuits.open_circuit(courier.mailer, answer, courier.clock())

        persist(note, courier.stopping)
        delivery.give_back([begun.email.id for begun, _ in refused])
        delivery.give_back_waiting()

    def _record(self, settled: Sequence[tuple[_Begun, Answer]]) -> None:
        if not settled:
            return
        courier, now = self._courier, self._courier.clock()
        statuses = self._delivery.record(
            [
                Attempt(begun.email, answer, begun.at, now, random.random())  # noqa: S311
                for begun, answer in settled
            ]
        )
        courier.in_hand.drop([begun.email.id for begun, _ in settled])
        if self._delivery.probing and any(circuit.closes_after_attempt(a) for _, a in settled):
            persist(lambda: circuits.close_circuit(courier.mailer), courier.stopping)
            self._delivery.expect_more()
        if not courier.mailer.many_at_once:  # otherwise the next outcome is near
            let_go_of_connection()
        for (begun, answer), status in zip(settled, statuses, strict=True):
            if status is not EmailStatus.SENT:
                _warn(begun.email, answer, status)


def _warn(email: Claimed, answer: Answer, status: EmailStatus) -> None:
    logger.warning(
        "email %s to %s is %s: %s: %s %s",
        email.id, email.address, status.value, answer.phase.value,
        answer.code or "no answer", answer.text,
    )  # fmt: skip
