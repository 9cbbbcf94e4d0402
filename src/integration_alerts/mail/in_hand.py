"""The emails that this process has claimed and knows of; the others it claimed are given back.

A claim can be committed and yet unknown to its worker: the answer to the COMMIT was lost, or what
came after it failed. No other worker may take such an email, because this one is alive.
"""

import threading
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from integration_alerts.mail import outbox


class InHand:
    """Which emails the threads of one worker are dealing with."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._emails: set[int] = set()
        self._unknown: set[int] = set()

    def take(self, emails: Iterable[int]) -> None:
        """Note emails, before anything is done about them."""
        with self._lock:
            self._emails.update(emails)

    def drop(self, emails: Iterable[int]) -> None:
        """Forget emails whose outcome is recorded, or that were given back."""
        with self._lock:
            self._emails.difference_update(emails)

    def give_back_unknown(self, worker: UUID, now: datetime) -> int:
        """Give back what was claimed but is not in hand, and was not last time; returns how many.

        Twice, because between a claim and its `take` lies a moment. Under the lock, so that an
        email is either taken in time, or found given back by the check before it is sent.
        """
        with self._lock:
            unknown = outbox.claimed_by(worker) - self._emails
            forgotten = unknown & self._unknown
            self._unknown = unknown
            outbox.give_back(forgotten, worker, now)
        return len(forgotten)
