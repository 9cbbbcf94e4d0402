"""Which step of an incident is due, and when the next one will be (SPEC R5 to R9).

Says nothing about recipients, grouping (R22) or flapping (R23).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from integration_alerts.rules.states import State


class Step(StrEnum):
    """What a notice says of its incident."""

    ALERT = "alert"
    REMINDER_7 = "reminder_7"
    REMINDER_14 = "reminder_14"
    REMINDER_21 = "reminder_21"
    RECOVERY = "recovery"  # it is over: for those who were told and opted in (R10)


# In the order in which they fall due.
STEPS = (Step.ALERT, Step.REMINDER_7, Step.REMINDER_14, Step.REMINDER_21)
LAST_STEP = STEPS[-1]
PENDING_PATIENCE = timedelta(hours=24)
REMINDER_DAYS = {Step.REMINDER_7: 7, Step.REMINDER_14: 14, Step.REMINDER_21: 21}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do for an open incident now: at most one step goes out, never a burst (R8)."""

    send: Step | None
    superseded: tuple[Step, ...]
    next_due_at: datetime | None


def due_at(state: State, since: datetime, step: Step) -> datetime:
    """When a step falls due for a state entered at `since`, a UTC time (R5, R6)."""
    if step is Step.ALERT:
        return since + PENDING_PATIENCE if state is State.PENDING else since
    return since + timedelta(days=REMINDER_DAYS[step])


def first_look_at(state: State, since: datetime, now: datetime) -> datetime:
    """When an incident that opens in `state` must first be planned; never later than it is due."""
    return due_at(state, min(since, now), Step.ALERT)


def plan(state: State, since: datetime, happened: Collection[Step], now: datetime) -> Plan:
    """Decide the steps of an open incident that stands in `state` since `since`, a UTC time.

    `happened` holds the steps that this (incident, state) already had: none happens twice (R7),
    also when the incident comes back to a state it was in before. A step that did not happen is due
    even after a later one: it was withdrawn, and somebody is still to be told.
    """
    # A report may be ahead of our clock (R2): a state we were told of is in force all the same.
    moment = max(now, since)
    waiting = [(step, due_at(state, since, step)) for step in STEPS if step not in happened]
    due = [step for step, at in waiting if at <= moment]
    later = [at for _, at in waiting if at > moment]
    return Plan(
        send=due[-1] if due else None,
        superseded=tuple(due[:-1]),
        next_due_at=min(later, default=None),
    )
