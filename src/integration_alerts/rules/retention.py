"""How long what is over is kept, and what may go then (SPEC R2, R7, R23, R24).

What an open incident needs is never among it. Every minimum is what some rule still looks back at.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from integration_alerts.rules import bar, flapping, suppression

LEAST_HISTORY = timedelta(days=bar.DAYS)
"""A page shows the states of so many days."""
LEAST_EMAILS = suppression.OLDEST
"""A report that an email came back is taken for so long."""
LEAST_MESSAGES = timedelta(days=1)
"""Long enough to look at what was just sent."""
LEAST_RECEIPTS = timedelta(days=30)
"""An event id is known for longer than any incident has reminders to come (R2, R6)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How long each kind of row is kept once it is over."""

    history: timedelta
    """State changes, and closed incidents with their notices."""
    emails: timedelta
    """Ended emails with their attempts and bounces."""
    messages: timedelta
    """The bytes of ended emails, and what the built-in inbox caught."""
    receipts: timedelta
    """Event ids of reports."""


@dataclass(frozen=True, slots=True)
class Horizons:
    """What ended before these instants may go."""

    changes: datetime
    incidents: datetime
    emails: datetime
    messages: datetime
    receipts: datetime


def horizons(policy: Policy, now: datetime) -> Horizons:
    """The horizons of a policy now. An incident is kept at least as long as the emails about it."""
    return Horizons(
        changes=now - policy.history,
        incidents=now - max(policy.history, policy.emails),
        emails=now - policy.emails,
        messages=now - policy.messages,
        receipts=now - policy.receipts,
    )


class Kept(StrEnum):
    """Why an email or an incident stays; the first reason that holds."""

    GOES_ON = "it has not ended"
    YOUNG = "it ended of late"
    NEEDED = "an incident that it tells of is open, or closed of late"
    FLAPPING = "it says that an integration is flapping, which still is"
    TOLD = "an email about it is kept"


@dataclass(frozen=True, slots=True)
class EmailFacts:
    """An email as this decision sees it."""

    ended_at: datetime | None
    unsettled: bool
    """Whether an incident that it tells of is open, or not planned and composed to its end."""
    last_closed_at: datetime | None
    """When the last of the incidents that it tells of closed."""
    flapping_opened_at: datetime | None
    """The latest opening in the flapping that it told of; None: it told of none, or that is over.
    """


def email_stays(email: EmailFacts, horizon: datetime, now: datetime) -> Kept | None:
    """Why an email stays; None: it may go.

    It says who was told of an incident, so that nobody is told again (R7): it stays while that is
    open, and afterwards until the end of it was told too.
    """
    if email.ended_at is None:
        return Kept.GOES_ON
    if email.ended_at >= horizon:
        return Kept.YOUNG
    if email.unsettled:
        return Kept.NEEDED
    if email.last_closed_at is not None and email.last_closed_at >= horizon:
        return Kept.NEEDED
    opened_at = email.flapping_opened_at
    if opened_at is not None and now - opened_at < flapping.QUIET:
        return Kept.FLAPPING
    return None


@dataclass(frozen=True, slots=True)
class IncidentFacts:
    """An incident as this decision sees it."""

    closed_at: datetime | None
    unsettled: bool
    told: bool
    """Whether an email that is kept tells of it: that one names companies by its notices (R15)."""


def incident_stays(incident: IncidentFacts, horizon: datetime) -> Kept | None:
    """Why an incident and its notices stay; None: they may go."""
    if incident.closed_at is None or incident.unsettled:
        return Kept.GOES_ON
    if incident.closed_at >= horizon:
        return Kept.YOUNG
    return Kept.TOLD if incident.told else None


@dataclass(frozen=True, slots=True)
class ChangeFacts:
    """A state change that is older than the horizon."""

    id: int
    occurred_at: datetime
    stale: bool


def spent(changes: Iterable[ChangeFacts], incident_opened_at: datetime | None) -> list[int]:
    """Which of the changes of one integration that are older than the horizon may go.

    The latest that counted stays, so that the state is known at every instant that is kept. So do
    those of an open incident, which opened at `incident_opened_at`.
    """
    known = sorted(changes, key=lambda change: (change.occurred_at, change.id))
    counted = [change.id for change in known if not change.stale]
    return [
        change.id
        for change in known
        if change.id not in counted[-1:]
        and (incident_opened_at is None or change.occurred_at < incident_opened_at)
    ]
