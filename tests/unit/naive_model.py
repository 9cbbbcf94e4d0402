"""What SPEC R2 to R10 say of one integration, worked out without the product's rules.

Nothing is carried on from step to step: all is read off the list of the reports that were heard
and the list of the planning passes. Time is whole minutes since some beginning.
"""

from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import NamedTuple

HOUR = 60
DAY = 24 * HOUR

BROKEN = ("pending", "failed")
DUE_AFTER = {
    "failed": {"alert": 0, "reminder_7": 7 * DAY, "reminder_14": 14 * DAY, "reminder_21": 21 * DAY},
    "pending": {
        "alert": DAY,
        "reminder_7": 7 * DAY,
        "reminder_14": 14 * DAY,
        "reminder_21": 21 * DAY,
    },
}


class Notice(NamedTuple):
    """A step that happened: of what, how, and in which planning pass (counted from 1)."""

    incident: int
    state: str
    step: str
    outcome: str
    since: int
    planned: int
    planning_pass: int


class Trouble(NamedTuple):
    """A stay in a broken state: in which incident, which state, and since when."""

    incident: int
    state: str
    since: int


@dataclass
class Model:
    """What SPEC says of the reports heard and the passes made so far."""

    reports: dict[int, tuple[int, str]] = field(default_factory=dict)  # by event, in arrival order
    passes: list[tuple[int, Trouble | None]] = field(default_factory=list)

    def changes(self) -> list[tuple[int, str]]:
        """The states that the integration was in, each with its beginning."""
        heard = list(self.reports.values())
        newest = accumulate((at for at, _ in heard), max)
        in_time = [
            report for report, latest in zip(heard, newest, strict=True) if report[0] == latest
        ]
        return [now for before, now in pairwise([(0, "new"), *in_time]) if before[1] != now[1]]

    def trouble(self) -> Trouble | None:
        history = [(0, "new"), *self.changes()]
        breaks = [b for a, b in pairwise(history) if b[1] in BROKEN and a[1] not in BROKEN]
        since, state = history[-1]
        return Trouble(len(breaks), state, since) if state in BROKEN else None

    def first_passes(self) -> dict[tuple[int, str, str], int]:
        """For each step of each state of each incident: the first pass that finds it due."""
        first: dict[tuple[int, str, str], int] = {}
        for number, (minute, trouble) in enumerate(self.passes, 1):
            if trouble is not None:
                for step, delay in DUE_AFTER[trouble.state].items():
                    if max(minute - trouble.since, 0) >= delay:
                        first.setdefault((trouble.incident, trouble.state, step), number)
        return first

    def notices(self) -> set[Notice]:
        first = self.first_passes()
        sent = {number: step for (_, _, step), number in first.items()}  # the last one remains
        notices = set()
        for (incident, state, step), number in first.items():
            minute, trouble = self.passes[number - 1]
            assert trouble is not None
            outcome = "sent" if sent[number] == step else "superseded"
            notices.add(Notice(incident, state, step, outcome, trouble.since, minute, number))
        return notices

    def next_due(self, now: int) -> int | None:
        """When the next step falls due, if the integration stays as it is."""
        trouble, first = self.trouble(), self.first_passes()
        if trouble is None:
            return None
        waiting = [
            trouble.since + delay if delay else min(trouble.since, now)
            for step, delay in DUE_AFTER[trouble.state].items()
            if (trouble.incident, trouble.state, step) not in first
        ]
        return min(waiting, default=None)
