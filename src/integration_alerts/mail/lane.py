"""A lane: one thread's source of emails for the mailer, and where its answers go.

Decides nothing about an email: `delivering` says which may begin, `rules` what an answer means.
"""

import logging
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from integration_alerts.mail import circuits, return_path
from integration_alerts.mail.courier import Courier
from integration_alerts.mail.delivering import Delivery
from integration_alerts.mail.mailers import Parcel
from integration_alerts.mail.models import EmailStatus
from integration_alerts.mail.outbox import Attempt, Claimed
from integration_alerts.mail.outcomes import Outcomes
from integration_alerts.mail.persisting import let_go_of_connection, persist
from integration_alerts.rules import circuit
from integration_alerts.rules.retry import Answer, Phase

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Begun:
    parcel: Parcel
    email: Claimed
    at: datetime


class Lane:
    """One thread's source of emails for the mailer (`mailers.Source`)."""

    def __init__(
        self,
        courier: Courier,
        delivery: Delivery,
        outcomes: Outcomes,
        call_another: Callable[[], None],
        at_once: int,
    ) -> None:
        self._courier = courier
        self._delivery = delivery
        self._outcomes = outcomes
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
        statuses = self._outcomes.record(
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
