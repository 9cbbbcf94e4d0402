"""The states of an integration over a time: for a bar, and for the words beside it.

Pure arithmetic on values; what it looks like is the page's business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from integration_alerts.rules.states import State

DAYS = 90
_DAY = timedelta(days=1)
# A day shows the worst that it saw.
_WORST_FIRST = (State.FAILED, State.PENDING, State.ACTIVE, State.DISABLED, None)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in one state; None: nothing was reported yet."""

    state: State | None
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Total:
    """How long an integration was in a state, and how many times."""

    state: State | None
    duration: timedelta
    times: int


def spans(changes: Sequence[tuple[datetime, State]], begin: datetime, end: datetime) -> list[Span]:
    """The stretches from `begin` to `end`; `changes` in their order, also from before `begin`."""
    found: list[Span] = []
    state: State | None = None
    since = begin
    for at, following in changes:
        moment = min(max(at, begin), end)
        if following is state:
            continue
        if moment > since:
            found.append(Span(state, since, moment))
        state, since = following, moment
    if end > since:
        found.append(Span(state, since, end))
    return found


def days(stretches: Sequence[Span], end: datetime, number: int = DAYS) -> list[State | None]:
    """The worst state of each of the last `number` times 24 hours, the oldest first."""
    answer: list[State | None] = [None] * number
    for span in stretches:
        first = number + (span.begin - end) // _DAY
        last = number - 1 - (end - span.end) // _DAY
        for day in range(max(first, 0), min(last, number - 1) + 1):
            answer[day] = min(answer[day], span.state, key=_WORST_FIRST.index)
    return answer


def totals(stretches: Sequence[Span]) -> list[Total]:
    """What the stretches add up to, the worst state first; states that did not occur left out."""
    answer = []
    for state in _WORST_FIRST:
        lasted = [span.end - span.begin for span in stretches if span.state is state]
        if lasted:
            answer.append(Total(state, sum(lasted, timedelta()), len(lasted)))
    return answer
