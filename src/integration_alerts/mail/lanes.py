"""Lanes: threads of a worker that hand claimed emails to the mailer.

One for all emails where the mailer deals with many at once; otherwise one for each email at a time.

Has nothing to do with what becomes of an email: that is `lane`.
"""

import logging
import threading
from collections.abc import Callable

from django.db import InterfaceError, OperationalError

from integration_alerts.mail.courier import Clerks, Courier
from integration_alerts.mail.delivering import Delivery
from integration_alerts.mail.lane import Lane
from integration_alerts.mail.outcomes import Outcomes
from integration_alerts.mail.persisting import let_go_of_connection
from integration_alerts.mail.turns import await_turn

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
        self._outcomes = Outcomes(courier, clerks)
        self._clerks = clerks
        self._start = start
        many = courier.mailer.many_at_once
        self._most, self._at_once = (1, courier.slots) if many else (courier.slots, 1)
        self._lock = threading.Lock()
        self._running: list[Lane] = []
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
        lane = Lane(self._courier, delivery, self._outcomes, self._call_if_waiting, self._at_once)
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
