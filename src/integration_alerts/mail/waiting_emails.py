"""The emails that a worker has claimed and no lane has begun: those just looked at, and the others.

Not safe for several threads by itself: whoever shares it holds a lock.
"""

import time
from collections import deque
from collections.abc import Sequence

from integration_alerts.mail.outbox import Claimed

# An email begins within this time after it was looked at, or it is looked at again (R10, R12).
FRESH_SECONDS = 0.05


class WaitingEmails:
    """In the order in which they were claimed, as far as looking at them allows."""

    def __init__(self) -> None:
        self._fresh: deque[tuple[Claimed, float]] = deque()  # with when it was looked at
        self._stale: deque[Claimed] = deque()

    def __len__(self) -> int:
        return len(self._fresh) + len(self._stale)

    @property
    def fresh(self) -> int:
        """How many may begin as they are."""
        return len(self._fresh)

    def lasts(self, count: int) -> bool:
        """Whether more than so many may begin when a look that starts now has come back."""
        newer = time.monotonic() - FRESH_SECONDS / 2
        return len(self._fresh) > count and self._fresh[-count - 1][1] > newer

    @property
    def stale(self) -> int:
        """How many have to be looked at before."""
        return len(self._stale)

    def add(self, emails: Sequence[Claimed], looked_at: float) -> None:
        """Add emails that were looked at then (`time.monotonic`)."""
        if time.monotonic() - looked_at > FRESH_SECONDS:
            self._stale.extend(emails)
        else:
            self._fresh.extend((email, looked_at) for email in emails)

    def add_just_looked_at(self, emails: Sequence[Claimed]) -> None:
        """Add emails that may begin now: one at least will, however slow all this is."""
        now = time.monotonic()
        self._fresh.extend((email, now) for email in emails)

    def put_back(self, emails: Sequence[Claimed]) -> None:
        """Add emails that were taken to be looked at, and were not."""
        self._stale.extendleft(reversed(emails))

    def pop(self) -> Claimed:
        """The first that may begin; there is one."""
        return self._fresh.popleft()[0]

    def take_stale(self, most: int) -> list[Claimed]:
        """The first that have to be looked at, which are no longer here then."""
        return [self._stale.popleft() for _ in range(min(most, len(self._stale)))]

    def forget_old_looks(self) -> None:
        """Let those that were looked at too long ago be looked at again."""
        oldest = time.monotonic() - FRESH_SECONDS
        while self._fresh and self._fresh[0][1] < oldest:
            self._stale.append(self._fresh.popleft()[0])

    def take_all(self) -> list[Claimed]:
        """All of them; none is left."""
        taken = [email for email, _ in self._fresh] + list(self._stale)
        self._fresh.clear()
        self._stale.clear()
        return taken
