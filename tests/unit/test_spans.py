"""A replay takes several instants at once only where nothing can happen between them (R2 to R4)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from integration_alerts.engine.spans import MOST, Ahead
from integration_alerts.integrations.reporting import Outcome
from integration_alerts.integrations.reports import Report
from integration_alerts.rules.states import Result, State

START = datetime(2026, 1, 1, 8, tzinfo=UTC)
A, P, F = State.ACTIVE, State.PENDING, State.FAILED
History = Sequence[tuple[int, str, State]]  # minute, integration, state


def minute(number: int) -> datetime:
    return START + timedelta(minutes=number)


def spans(
    history: History, due: int | None = None, refused: frozenset[int] = frozenset()
) -> Iterator[list[int]]:
    """The places of the reports in each span; those at `refused` are rejected."""
    ahead = Ahead(
        (place, Report(f"e{place}", "acme", "north", name, state, minute(at)))
        for place, (at, name, state) in enumerate(history)
    )
    while ahead.next_at is not None:
        span = ahead.next_span(None if due is None else minute(due))
        places = [place for place, _ in span.reports]
        assert span.until == minute(history[places[-1]][0])
        ahead.note(
            span,
            [Outcome(Result.REJECTED if at in refused else Result.UNCHANGED) for at in places],
        )
        yield places


def test_reports_that_repeat_a_state_go_together_up_to_one_that_does_not() -> None:
    history = [(0, "x", A), (1, "y", A), (2, "x", A), (3, "y", A), (4, "x", F), (5, "y", A)]

    assert list(spans(history)) == [[0], [1], [2, 3, 4], [5]]


def test_the_reports_of_an_instant_stay_together() -> None:
    history = [(0, "x", A), (0, "y", P), (1, "x", A), (1, "y", F), (1, "x", A), (2, "x", A)]

    assert list(spans(history)) == [[0, 1], [2, 3, 4], [5]]


def test_what_falls_due_comes_between() -> None:
    history = [(0, "x", A), (1, "x", A), (2, "x", A), (3, "x", A)]

    assert list(spans(history, due=2)) == [[0], [1, 2], [3]]


def test_what_falls_due_while_nobody_reports_comes_between() -> None:
    history = [(0, "x", A), (10, "x", A), (30, "x", A)]

    assert list(spans(history, due=20)) == [[0], [1], [2]]


def test_a_rejected_report_says_nothing_about_the_state() -> None:
    history = [(0, "x", A), (1, "x", F), (2, "x", F), (3, "x", F)]

    assert list(spans(history, refused=frozenset({1}))) == [[0], [1], [2], [3]]


def test_the_same_name_in_another_account_is_another_integration() -> None:
    ahead = Ahead(
        (place, Report(f"e{place}", account, "north", "x", A, minute(place)))
        for place, account in enumerate(["acme", "umbra", "acme", "umbra"])
    )
    found = []
    while ahead.next_at is not None:
        span = ahead.next_span(None)
        ahead.note(span, [Outcome(Result.APPLIED)] * len(span.reports))
        found.append([place for place, _ in span.reports])

    assert found == [[0], [1], [2, 3]]


def test_a_transaction_stays_of_a_bounded_size() -> None:
    history = [(at, "x", A) for at in range(MOST + 3)]

    assert [len(places) for places in spans(history)] == [1, MOST, 2]
