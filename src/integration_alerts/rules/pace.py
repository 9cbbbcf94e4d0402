"""How many mails may go when: a rate for a mailer as a whole, and for recipient domains.

Virtual scheduling, the generic cell rate algorithm of ITU-T I.371: a lane remembers when the next
mail fits its rate exactly, and lets mails go ahead of that by at most a burst. A mail that must
wait gets a place in the line of the lane that holds it up, one interval behind the last one, so
that it is looked at again when its turn comes and not before.

Knows no table and no clock: `mail.pacing` keeps the lanes.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

# A line that ends this soon is as good as none: who comes now need not queue behind it.
_SOON = timedelta(seconds=0.1)


@dataclass(frozen=True, slots=True)
class Rate:
    """How many mails a second, on average."""

    per_second: float

    @property
    def interval(self) -> timedelta:
        """From one mail to the next at this rate."""
        return timedelta(seconds=1 / self.per_second)

    @property
    def burst(self) -> int:
        """How many mails may go at once after a pause: what a second allows, at least one."""
        return max(1, math.floor(self.per_second))


@dataclass(frozen=True, slots=True)
class Lane:
    """Where the mails of one rate stand."""

    free_at: datetime
    """When the next mail fits the rate exactly."""
    line_ends_at: datetime
    """When the last of those that wait in this lane has its turn; in the past: nobody waits."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A mail that would like to go: the lanes it needs; `has_place`: it waited for its turn."""

    key: str
    lanes: tuple[str, ...]
    has_place: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """Who may go now, when the others have their turn, and where the lanes stand after that."""

    going: frozenset[str]
    places: Mapping[str, datetime]
    lanes: Mapping[str, Lane]


def admit(
    mails: Iterable[Waiting], lanes: Mapping[str, Lane], rates: Mapping[str, Rate], now: datetime
) -> Outcome:
    """Let mails go, in the given order, as far as every lane that they need allows.

    In any time, no more go through a lane than its rate x that time + its burst. A mail without a
    place does not overtake those that wait for the same lane.
    """
    after = dict(lanes)
    going: set[str] = set()
    places: dict[str, datetime] = {}
    for mail in mails:
        held_up_by = [
            name
            for name in mail.lanes
            if not _open(after[name], rates[name], now, has_place=mail.has_place)
        ]
        if held_up_by:
            name = max(held_up_by, key=lambda name: _next_turn(after[name], rates[name]))
            places[mail.key] = turn = _next_turn(after[name], rates[name])
            after[name] = Lane(after[name].free_at, turn)
            continue
        going.add(mail.key)
        for name in mail.lanes:
            lane = after[name]
            after[name] = Lane(max(lane.free_at, now) + rates[name].interval, lane.line_ends_at)
    return Outcome(frozenset(going), places, after)


def _open(lane: Lane, rate: Rate, now: datetime, *, has_place: bool) -> bool:
    if not has_place and lane.line_ends_at > now + _SOON:
        return False
    return lane.free_at - rate.interval * (rate.burst - 1) <= now


def _next_turn(lane: Lane, rate: Rate) -> datetime:
    # Not before `free_at`: what the burst let go ahead of the rate is made up for first.
    return max(lane.free_at, lane.line_ends_at + rate.interval)
