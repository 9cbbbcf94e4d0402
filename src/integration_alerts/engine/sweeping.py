"""The sweep: finds due work that no wake-up told of, and gives back what dead workers had claimed.

Every worker sweeps, every 5 seconds and at the instant when something falls due. It is no job: with
nothing due it reads a few index entries and writes nothing.
"""

import logging
import threading
from datetime import datetime, timedelta
from types import TracebackType

from django.db import Error, close_old_connections

from integration_alerts.engine import advancing, clock, posting, wakeups, workers
from integration_alerts.mail import circuits, outbox

SWEEP_SECONDS = 5
# After the instant, so that what falls due then is due for whoever is woken.
_MARGIN = timedelta(milliseconds=2)

logger = logging.getLogger(__name__)


def sweep(now: datetime) -> datetime:
    """Wake for all that is due, and give back what is abandoned; returns when to sweep again."""
    outbox.give_back_abandoned(workers.possibly_alive(), now)
    next_due = advancing.wake_for_what_is_due(now)
    if posting.anything_due(now):
        wakeups.wake(wakeups.POST)
    if circuits.probe_due(now):
        wakeups.wake(wakeups.DELIVER)
    regular = now + timedelta(seconds=SWEEP_SECONDS)
    return regular if next_due is None else min(regular, next_due + _MARGIN)


class Sweeper:
    """Sweeps in a thread of its own while the `with` block runs."""

    def __init__(self) -> None:
        self._stopped = threading.Event()
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
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        pause = 0.0
        while not self._stopped.wait(pause):
            pause = SWEEP_SECONDS
            try:
                again = sweep(clock.now())
                pause = max(0.0, (again - clock.now()).total_seconds())
            except Error as error:
                logger.warning("no sweep: %s", str(error).strip())
            except Exception:  # whatever it was, the next sweep must come
                logger.exception("the sweep failed")
            close_old_connections()
