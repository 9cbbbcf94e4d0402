"""The sweep: finds due work that no wake-up told of, and gives back what dead workers had claimed.

Every worker sweeps, every 5 seconds and at the instant when something falls due. It is no job: with
nothing due it reads a few index entries and writes nothing.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from types import TracebackType

from django.db import Error, close_old_connections

from integration_alerts.engine import advancing, clock, posting, wakeups, workers
from integration_alerts.mail import circuits, outbox

SWEEP_SECONDS = 5
_REGULAR = timedelta(seconds=SWEEP_SECONDS)
# After the instant, so that what falls due then is due for whoever is woken.
_MARGIN = timedelta(milliseconds=2)
_TOGETHER = timedelta(milliseconds=50)  # what falls due soon after goes with it

logger = logging.getLogger(__name__)


def sweep(now: datetime, on_due: Callable[[], None]) -> datetime:
    """Wake for all that is due, and give back what is abandoned; returns when to sweep again.

    `on_due` is called when emails may go: every worker sweeps, so that needs no job.
    """
    outbox.give_back_abandoned(workers.possibly_alive(), now)
    emails_due = advancing.wake_for_what_is_due(now)
    if posting.anything_due(now):
        wakeups.wake(wakeups.POST)
    if emails_due or circuits.probe_due(now):
        on_due()
    return _next(now)


class Sweeper:
    """Sweeps in a thread of its own while the `with` block runs."""

    def __init__(self, on_due: Callable[[], None]) -> None:
        self._on_due = on_due
        self._stopped = False
        self._called = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def __enter__(self) -> "Sweeper":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped = True
        self._called.set()
        self._thread.join()

    def call(self) -> None:
        """Say that something may fall due earlier than was known; it is not due yet."""
        self._called.set()

    def _run(self) -> None:
        sweep_at = clock.now()
        while True:
            called = self._called.wait(max(0.0, (sweep_at - clock.now()).total_seconds()))
            self._called.clear()
            if self._stopped:
                return
            try:
                now = clock.now()
                sweep_at = min(sweep_at, _next(now)) if called else sweep(now, self._on_due)
            except Error as error:
                logger.warning("no sweep: %s", str(error).strip())
                sweep_at = clock.now() + _REGULAR
            except Exception:  # whatever it was, the next sweep must come
                logger.exception("the sweep failed")
                sweep_at = clock.now() + _REGULAR
            close_old_connections()


def _next(now: datetime) -> datetime:
    next_due = advancing.next_due(now)
    regular = now + _REGULAR
    return regular if next_due is None else min(regular, max(next_due + _MARGIN, now + _TOGETHER))
