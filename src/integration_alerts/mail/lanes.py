"""Lanes: threads of a worker that hand claimed emails to the mailer, one after the other each.

Decides nothing about an email: `delivering` says which may begin, `rules` what an answer means.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator
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
        self._delivery = Delivery(courier, on_more, self._call_another, clerks)
        self._clerks = clerks
        self._start = start
        self._lock = threading.Lock()
        self._running = 0

    def wake(self) -> None:
        """Have what is due delivered, without waiting for it."""
        self._delivery.expect_more()
        self._start_one()

    def finish(self) -> None:
        """Give back what clerks have claimed while the lanes of a stopping worker ended."""
        if self._clerks is not None:
            self._clerks.await_idle()
        self._delivery.give_back_waiting()

    def run(self) -> int:
        """Deliver what is due in the caller's lane, until there is no more; returns how many."""
        before = self._delivery.claimed
        with self._lock:
            self._running += 1
        self._run(lambda: False)
        return self._delivery.claimed - before

    def _start_one(self) -> None:
        if self._start is None:
            return
        with self._lock:
            if self._running >= self._courier.slots or self._courier.stopping():
                return
            self._running += 1
        self._start(self._run_apart)

    def _run_apart(self) -> None:
        # What is due is found again by the next wake-up, or the sweep.
        try:
            self._run(lambda: await_turn(self._courier))
        except (OperationalError, InterfaceError) as error:
            logger.warning("the database is away, delivering is broken off: %s", str(error).strip())
        except Exception:
            logger.exception("delivering was broken off")

    def _run(self, await_more: Callable[[], bool]) -> None:
        delivery, again = self._delivery, False
        try:
            lane = _Lane(self._courier, delivery, self._call_another)
            lane.run()
            while await_more():
                delivery.expect_more()
                lane.run()
            again = delivery.expects_more()
        finally:
            let_go_of_connection()
            with self._lock:
                self._running -= 1
                last = not self._running
            if last:
                delivery.give_back_waiting()
            if again:  # somebody called while there was no lane to spare
                self._start_one()

    def _call_another(self) -> None:
        if self._delivery.waiting():
            self._start_one()


@dataclass(frozen=True, slots=True)
class _Begun:
    parcel: Parcel
    email: Claimed
    at: datetime


class _Lane:
    """One thread's source of emails for the mailer (`mailers.Source`)."""

    def __init__(
        self, courier: Courier, delivery: Delivery, call_another: Callable[[], None]
    ) -> None:
        self._courier = courier
        self._delivery = delivery
        self._call_another = call_another
        self._begun: list[_Begun] = []  # two at most: one under way, one announced
        self._instead: Claimed | None = None  # of one that is to go, but not as it was taken
        self._fault: Exception | None = None

    def run(self) -> None:
        """Hand over what is due, until there is no more of it."""
        while True:
            try:
                self._courier.mailer.send_all(self)
            except Exception as error:  # a mailer's own fault must not leave an email claimed
                if error is self._fault or not self._begun:
                    self._give_back_begun()  # of what is left, the server has seen no body
                    raise
                logger.exception("the mailer failed on email %s", self._begun[0].email.id)
                # Nobody knows how far it came.
                text = f"the mailer failed: {type(error).__name__}"
                for begun in list(self._begun):
                    self.answered(begun.parcel, Answer(Phase.ACCEPTANCE, None, text))
            else:
                return

    def take(self) -> Parcel | None:
        """As in `Source`."""
        email, self._instead = self._instead, None
        if email is None:
            with self._ours():
                email = self._delivery.take()
        if email is None:
            return None
        self._call_another()
        return self._begin(email)

    def at_hand(self) -> Parcel | None:
        """As in `Source`."""
        email = None if self._instead else self._delivery.at_hand()
        return None if email is None else self._begin(email)

    def still_wanted(self, parcel: Parcel) -> bool:
        """As in `Source`."""
        begun = self._find(parcel)
        with self._ours():
            found = self._delivery.wanted(begun.email)
        if found == begun.email:
            return True
        self._begun.remove(begun)
        self._instead = found
        return False

    def answered(self, parcel: Parcel, answer: Answer) -> None:
        """As in `Source`."""
        begun = self._find(parcel)
        self._begun.remove(begun)
        with self._ours():
            if circuit.opens(answer):
                self._refuse_all(begun.email, answer)
            else:
                self._record(begun, answer)

    @contextmanager
    def _ours(self) -> Iterator[None]:
        """Faults in here are no fault of the mailer, though they come out of it."""
        try:
            yield
        except Exception as error:
            self._fault = error
            raise

    def _find(self, parcel: Parcel) -> _Begun:
        return next(begun for begun in self._begun if begun.parcel is parcel)

    def _begin(self, email: Claimed) -> Parcel:
        sender = self._courier.stationery.envelope_sender(email.id)
        parcel = Parcel(sender, email.address, email.message, return_path.token(email.id))
        self._begun.append(_Begun(parcel, email, self._courier.clock()))
        return parcel

    def _give_back_begun(self) -> None:
        ids = [begun.email.id for begun in self._begun]
        self._begun.clear()
        self._delivery.give_back(ids)

    def _refuse_all(self, email: Claimed, answer: Answer) -> None:
        """No mailer to send by: nothing counts, and everything waits."""
        courier, delivery = self._courier, self._delivery

        def note() -> None:
            if delivery.probing:
                circuits.note(courier.mailer, answer)
            else:
                circuits.open_circuit(courier.mailer, answer, courier.clock())

        persist(note, courier.stopping)
        delivery.give_back([email.id])
        delivery.give_back_waiting()

    def _record(self, begun: _Begun, answer: Answer) -> None:
        courier, email = self._courier, begun.email
        attempt = Attempt(email, answer, begun.at, courier.clock(), random.random())  # noqa: S311
        status = self._delivery.record(attempt)
        courier.in_hand.drop([email.id])
        if self._delivery.probing and circuit.closes_after_attempt(answer):
            persist(lambda: circuits.close_circuit(courier.mailer), courier.stopping)
            self._delivery.expect_more()
        let_go_of_connection()
        if status is not EmailStatus.SENT:
            logger.warning(
                "email %s to %s is %s: %s: %s %s",
                email.id, email.address, status.value, answer.phase.value,
                answer.code or "no answer", answer.text,
            )  # fmt: skip
