"""Recording outcomes: those that come in while one transaction runs share the next one.

Each call returns when its outcome is durable, so nothing is known only in memory for longer than
before (R24); under load a transaction and its flush to disk serve many.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from integration_alerts.mail.models import EmailStatus
from integration_alerts.mail.outbox import Attempt

_MOMENT_SECONDS = 0.003

Write = Callable[[Sequence[Attempt]], Mapping[int, EmailStatus]]


@dataclass(slots=True)
class _Waiting:
    attempt: Attempt
    done: threading.Event = field(default_factory=threading.Event)
    status: EmailStatus | None = None
    error: BaseException | None = None


class Recorder:
    """Shared by the threads of a worker, who wait while their outcomes are written."""

    def __init__(self, write: Write, start: Callable[[Callable[[], None]], object]) -> None:
        """`start` has a function run, in a thread that keeps its connection, or at once."""
        self._write = write
        self._start = start
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._writing = False

    def record(self, attempt: Attempt) -> EmailStatus:
        """Where the email stands now; raises what writing raised."""
        mine = _Waiting(attempt)
        with self._lock:
            self._waiting.append(mine)
            begins = not self._writing
            self._writing = True
        if begins:
            self._start(self._write_all)
        mine.done.wait()
        if mine.error is not None:
            raise mine.error
        assert mine.status is not None
        return mine.status

    def _write_all(self) -> None:
        """Write for everybody who waits, until nobody does."""
        together = 0
        while True:
            if together > 1:  # others are about to come: a moment saves them a transaction
                time.sleep(_MOMENT_SECONDS)
            with self._lock:
                batch, self._waiting = self._waiting, []
                self._writing = bool(batch)
            if not batch:
                return
            together = len(batch)
            try:
                statuses = self._write([each.attempt for each in batch])
                for each in batch:
                    each.status = statuses[each.attempt.email.id]
            except BaseException as error:
                for each in batch:
                    each.error = error
            for each in batch:
                each.done.set()
