"""Walking over a table from its oldest rows on, a bounded number of rows at a time.

For pruning: a walk that is begun again at its place never meets a row twice, and its cost is that
of the rows that it meets, however many lie behind or ahead of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """Behind the last row that was met: its time, and its id where the walk goes by ids."""

    at: datetime
    id: int = 0


BEGINNING = Place(datetime(1970, 1, 1, tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Stretch:
    """What a walk did in one go."""

    place: Place
    ended: bool
    """Whether nothing is ahead that is old enough."""
    pruned: Mapping[str, int] = field(default_factory=dict)
    """How many rows went, by what they are, in words for people."""


def older(rows: Sequence[tuple[Any, ...]], horizon: datetime) -> list[tuple[Any, ...]]:
    """The rows before the first one whose time, its second column, is not before the horizon."""
    for index, row in enumerate(rows):
        if row[1] >= horizon:
            return list(rows[:index])
    return list(rows)
