"""The 90-day bar of states, drawn on the server: a state is a height and a colour."""

from dataclasses import dataclass

from integration_alerts.rules.states import State

DAY = 8  # the width of a day and the gap behind it
GAP = 2
HEIGHT = 32
# Told apart without colour: the worse, the taller; disabled floats, as its mark does.
_SHAPES = {
    State.FAILED: (0, 32),
    State.PENDING: (10, 22),
    State.ACTIVE: (22, 10),
    State.DISABLED: (25, 3),
    None: (30, 2),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One day of the bar, in the units of its view box."""

    state: str
    x: int
    y: int
    height: int
    width: int = DAY - GAP


def cells(days: list[State | None]) -> list[Cell]:
    """The days as shapes, from left to right."""
    return [
        Cell(state.value if state else "never", number * DAY, *_SHAPES[state])
        for number, state in enumerate(days)
    ]
