"""Whether an integration is flapping, and what becomes of its alerts then (SPEC R23).

Says nothing about reminders: those are never held back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(hours=24)
QUIET = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Openings:
    """When an integration's latest incidents opened, as far as it matters; UTC times."""

    last: datetime | None = None
    earlier: datetime | None = None
    """The opening before the last."""
    flapping_since: datetime | None = None
    """The opening with which the flapping began that the last one is part of."""


NONE = Openings()


def opened(before: Openings, at: datetime) -> Openings:
    """The openings once an incident has opened at this time.

    The third within 24 h begins the flapping; it goes on until no incident has opened for 24 h.
    """
    since = None
    if before.last is not None and at - before.last < QUIET:
        since = before.flapping_since
        if since is None and before.earlier is not None and at - before.earlier <= WINDOW:
            since = at
    return Openings(at, before.last, since)


def is_flapping(openings: Openings, now: datetime) -> bool:
    """Whether the integration is flapping now."""
    return (
        openings.flapping_since is not None
        and openings.last is not None
        and now - openings.last < QUIET
    )


def says_so(flapping_since: datetime | None, opened_at: datetime, due_at: datetime) -> bool:
    """Whether the alert of an incident says that it is flapping, to those who do not know it yet.

    The incident opened at `opened_at` and its alert is due at `due_at`. If it closes before the
    mail goes, the mail goes with it (R22), and the next incident's alert says it.
    """
    return flapping_since is not None and due_at - opened_at < QUIET
