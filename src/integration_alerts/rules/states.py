"""What a status report does to an integration (SPEC R2 to R4, R17).

Says nothing about who is told or when: that is `schedule` and `eligibility`.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

FUTURE_TOLERANCE = timedelta(minutes=5)


class State(StrEnum):
    """The state a platform reports for an integration (SPEC section 2)."""

    PENDING = "pending"  # set-up begun, not finished -> active, failed, disabled
    ACTIVE = "active"  # works -> failed, pending, disabled
    FAILED = "failed"  # broken -> active, pending, disabled
    DISABLED = "disabled"  # switched off on purpose -> pending, active, failed


UNHEALTHY = frozenset({State.PENDING, State.FAILED})


class Result(StrEnum):
    """What became of one report; the words of the public interface (SPEC section 4)."""

    APPLIED = "applied"
    UNCHANGED = "unchanged"
    DUPLICATE = "duplicate"
    STALE = "stale"
    REJECTED = "rejected"


class IncidentEffect(StrEnum):
    """What a report does to the integration's incident (SPEC R3, R4)."""

    NONE = "none"
    OPENS = "opens"
    ENTERS = "enters"  # stays open, in its other state, with that state's own clock
    CLOSES = "closes"


class Standing(NamedTuple):
    """Where an integration stands: `state` is None while nothing was ever reported."""

    state: State | None = None
    since: datetime | None = None
    reported_at: datetime | None = None


NEW = Standing()


class Decision(NamedTuple):
    """The outcome of one report: the standing after it, and what follows from it."""

    result: Result
    standing: Standing
    incident: IncidentEffect = IncidentEffect.NONE
    activated: bool = False


def decide(standing: Standing, state: State, occurred_at: datetime) -> Decision:
    """Apply one report to a standing.

    Reports apply in `occurred_at` order; equal instants in order of arrival (R2). An unchanged
    report confirms its state up to its own time, so an older one that arrives later is stale.
    """
    if standing.reported_at is not None and occurred_at < standing.reported_at:
        return Decision(Result.STALE, standing)
    if state == standing.state:
        confirmed = Standing(standing.state, standing.since, occurred_at)
        return Decision(Result.UNCHANGED, confirmed)
    return Decision(
        Result.APPLIED,
        Standing(state, occurred_at, occurred_at),
        _incident_effect(standing.state, state),
        _activates(standing.state, state),
    )


def is_too_far_ahead(occurred_at: datetime, now: datetime) -> bool:
    """Whether a report claims to come from the future, beyond a clock's usual error (R2)."""
    return occurred_at > now + FUTURE_TOLERANCE


def _incident_effect(before: State | None, after: State) -> IncidentEffect:
    if after in UNHEALTHY:
        return IncidentEffect.ENTERS if before in UNHEALTHY else IncidentEffect.OPENS
    return IncidentEffect.CLOSES if before in UNHEALTHY else IncidentEffect.NONE


def _activates(before: State | None, after: State) -> bool:
    """Whether this change is what R17 calls activating an integration."""
    if before in UNHEALTHY:
        return after is State.ACTIVE
    return before in (None, State.DISABLED) and after in (State.PENDING, State.ACTIVE)
