"""The arithmetic of the 90-day bar."""

from datetime import UTC, datetime, timedelta

import pytest

from integration_alerts.rules.bar import Span, Total, days, spans, totals
from integration_alerts.rules.states import State

END = datetime(2026, 3, 31, 12, tzinfo=UTC)
A, F, P, D = State.ACTIVE, State.FAILED, State.PENDING, State.DISABLED


def ago(number: float) -> datetime:
    return END - timedelta(days=number)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([], [(None, 4, 0)]),
        ([(2, A)], [(None, 4, 2), (A, 2, 0)]),
        ([(9, A)], [(A, 4, 0)]),
        ([(9, A), (4, F)], [(F, 4, 0)]),
        ([(9, A), (2, F), (1, A)], [(A, 4, 2), (F, 2, 1), (A, 1, 0)]),
        ([(9, A), (2, A), (1, F)], [(A, 4, 1), (F, 1, 0)]),
        ([(2, F), (2, P)], [(None, 4, 2), (P, 2, 0)]),
        ([(2, F), (-1, A)], [(None, 4, 2), (F, 2, 0)]),
    ],
)
def test_stretches(
    changes: list[tuple[float, State]], expected: list[tuple[State | None, float, float]]
) -> None:
    found = spans([(ago(at), state) for at, state in changes], ago(4), END)
    assert found == [Span(state, ago(begin), ago(end)) for state, begin, end in expected]


@pytest.mark.parametrize(
    ("stretches", "expected"),
    [
        ([(None, 4, 0)], [None, None, None, None]),
        ([(None, 4, 2), (A, 2, 0)], [None, None, A, A]),
        ([(A, 4, 1.5), (F, 1.5, 1.4), (A, 1.4, 0)], [A, A, F, A]),
        ([(A, 4, 2.5), (P, 2.5, 1.5), (D, 1.5, 0)], [A, P, P, D]),
        ([(D, 4, 0.1), (A, 0.1, 0)], [D, D, D, A]),
        ([(F, 4, 3), (A, 3, 0)], [F, A, A, A]),
        ([(A, 9, 0)], [A, A, A, A]),
    ],
)
def test_a_day_shows_the_worst_that_it_saw(
    stretches: list[tuple[State | None, float, float]], expected: list[State | None]
) -> None:
    given = [Span(state, ago(begin), ago(end)) for state, begin, end in stretches]
    assert days(given, END, 4) == expected


def test_stretches_add_up_by_state_the_worst_first() -> None:
    given = [Span(A, ago(9), ago(5)), Span(F, ago(5), ago(4)), Span(A, ago(4), ago(2)),
             Span(F, ago(2), END)]  # fmt: skip
    assert totals(given) == [Total(F, timedelta(days=3), 2), Total(A, timedelta(days=6), 2)]
