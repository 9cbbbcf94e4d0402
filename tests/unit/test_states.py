"""R2, R3, R4, R17: what one status report does to an integration."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_alerts.rules.states import (
    NEW,
    UNHEALTHY,
    Decision,
    IncidentEffect,
    Result,
    Standing,
    State,
    decide,
    is_too_far_ahead,
)

PENDING, ACTIVE, FAILED, DISABLED = State
APPLIED, UNCHANGED, STALE = Result.APPLIED, Result.UNCHANGED, Result.STALE
NOTHING, OPENS, ENTERS, CLOSES = IncidentEffect

ENTERED = datetime(2026, 3, 27, 9, tzinfo=UTC)
CONFIRMED = datetime(2026, 3, 27, 12, tzinfo=UTC)
LATER = datetime(2026, 3, 27, 15, tzinfo=UTC)
A_MOMENT = timedelta(microseconds=1)


class Transition(NamedTuple):
    before: State | None  # None: never reported
    reported: State
    result: Result
    incident: IncidentEffect
    activates: bool


TRANSITIONS = [
    Transition(None, PENDING, APPLIED, OPENS, True),
    Transition(None, ACTIVE, APPLIED, NOTHING, True),
    Transition(None, FAILED, APPLIED, OPENS, False),
    Transition(None, DISABLED, APPLIED, NOTHING, False),
    Transition(PENDING, PENDING, UNCHANGED, NOTHING, False),
    Transition(PENDING, ACTIVE, APPLIED, CLOSES, True),
    Transition(PENDING, FAILED, APPLIED, ENTERS, False),
    Transition(PENDING, DISABLED, APPLIED, CLOSES, False),
    Transition(ACTIVE, PENDING, APPLIED, OPENS, False),
    Transition(ACTIVE, ACTIVE, UNCHANGED, NOTHING, False),
    Transition(ACTIVE, FAILED, APPLIED, OPENS, False),
    Transition(ACTIVE, DISABLED, APPLIED, NOTHING, False),
    Transition(FAILED, PENDING, APPLIED, ENTERS, False),
    Transition(FAILED, ACTIVE, APPLIED, CLOSES, True),
    Transition(FAILED, FAILED, UNCHANGED, NOTHING, False),
    Transition(FAILED, DISABLED, APPLIED, CLOSES, False),
    Transition(DISABLED, PENDING, APPLIED, OPENS, True),
    Transition(DISABLED, ACTIVE, APPLIED, NOTHING, True),
    Transition(DISABLED, FAILED, APPLIED, OPENS, False),
    Transition(DISABLED, DISABLED, UNCHANGED, NOTHING, False),
]


def every_transition(column: str) -> pytest.MarkDecorator:
    """Parametrise with `before`, `reported` and one of the table's other columns."""
    return pytest.mark.parametrize(
        ("before", "reported", column),
        [(row.before, row.reported, getattr(row, column)) for row in TRANSITIONS],
        ids=[f"{row.before or 'new'}-to-{row.reported}" for row in TRANSITIONS],
    )


every_state = pytest.mark.parametrize("state", State)

# Few instants, so that reports often come late, and often at the same instant.
instants = st.integers(0, 12).map(lambda hours: ENTERED + timedelta(hours=hours))
reports = st.tuples(st.sampled_from(State), instants)


def standing(state: State | None) -> Standing:
    """In `state` since ENTERED, last heard of at CONFIRMED; None: never heard of."""
    return NEW if state is None else Standing(state, ENTERED, CONFIRMED)


def after(*told: tuple[State, datetime]) -> Standing:
    """The standing of a new integration after these reports, in this order of arrival."""
    current = NEW
    for state, occurred_at in told:
        current = decide(current, state, occurred_at).standing
    return current


def test_the_table_has_every_transition_once() -> None:
    listed = [(row.before, row.reported) for row in TRANSITIONS]
    assert sorted(listed, key=str) == sorted(product([None, *State], State), key=str)


@every_transition("result")
def test_a_report_of_another_state_is_applied_and_of_the_same_unchanged(
    before: State | None, reported: State, result: Result
) -> None:
    assert decide(standing(before), reported, LATER).result is result


@every_transition("incident")
def test_an_incident_opens_when_it_breaks_and_closes_when_it_is_healthy_again(
    before: State | None, reported: State, incident: IncidentEffect
) -> None:
    assert decide(standing(before), reported, LATER).incident is incident


@every_transition("activates")
def test_turning_on_and_repairing_activate(
    before: State | None, reported: State, activates: bool
) -> None:
    assert decide(standing(before), reported, LATER).activated is activates


@every_transition("result")
def test_a_state_has_its_own_clock_from_its_entry_on(
    before: State | None, reported: State, result: Result
) -> None:
    since = ENTERED if result is UNCHANGED else LATER
    assert decide(standing(before), reported, LATER).standing == Standing(reported, since, LATER)


def test_pending_and_failed_in_turn_stay_in_one_incident() -> None:
    current, effects = NEW, []
    for hour, state in enumerate([PENDING, FAILED, PENDING, FAILED, ACTIVE, FAILED]):
        decision = decide(current, state, ENTERED + timedelta(hours=hour))
        current = decision.standing
        effects.append(decision.incident)
    assert effects == [OPENS, ENTERS, ENTERS, ENTERS, CLOSES, OPENS]


@every_state
@pytest.mark.parametrize("known", State)
def test_a_report_older_than_what_is_known_is_stale_and_changes_nothing(
    known: State, state: State
) -> None:
    before = standing(known)
    assert decide(before, state, CONFIRMED - A_MOMENT) == Decision(STALE, before, NOTHING, False)


@every_state
@pytest.mark.parametrize("known", State)
def test_of_equal_instants_the_one_that_arrives_last_stands(known: State, state: State) -> None:
    decision = decide(standing(known), state, CONFIRMED)
    assert decision.result is not STALE
    assert decision.standing.state is state


def test_several_changes_of_one_instant_apply_in_order_of_arrival() -> None:
    assert after((FAILED, LATER), (ACTIVE, LATER), (PENDING, LATER)) == Standing(
        PENDING, LATER, LATER
    )


def test_a_report_from_before_the_last_confirmation_is_stale_though_it_is_after_the_entry() -> None:
    confirmed = after((FAILED, ENTERED), (FAILED, LATER))
    assert decide(confirmed, ACTIVE, CONFIRMED) == Decision(STALE, confirmed)


def test_being_reported_again_and_again_restarts_no_clock() -> None:
    told = [(FAILED, ENTERED + timedelta(minutes=minute)) for minute in range(60)]
    assert after(*told).since == ENTERED


def test_coming_back_to_a_state_starts_its_clock_anew() -> None:
    assert after((FAILED, ENTERED), (PENDING, CONFIRMED), (FAILED, LATER)).since == LATER


@every_state
def test_no_report_is_too_old_for_an_integration_that_is_new(state: State) -> None:
    long_ago = datetime.min.replace(tzinfo=UTC)
    assert decide(NEW, state, long_ago) == Decision(
        APPLIED,
        Standing(state, long_ago, long_ago),
        OPENS if state in UNHEALTHY else NOTHING,
        state in (PENDING, ACTIVE),
    )


@every_state
def test_what_happened_before_an_integration_was_deleted_does_not_bring_it_back(
    state: State,
) -> None:
    deleted = Standing(reported_at=CONFIRMED)
    assert decide(deleted, state, CONFIRMED - A_MOMENT) == Decision(STALE, deleted)


def test_an_integration_that_was_deleted_comes_back_as_a_new_one() -> None:
    deleted = Standing(reported_at=CONFIRMED)
    assert decide(deleted, PENDING, LATER) == Decision(
        APPLIED, Standing(PENDING, LATER, LATER), OPENS, activated=True
    )


def test_a_standing_is_new_when_nothing_was_ever_reported() -> None:
    assert Standing(state=None, since=None, reported_at=None) == NEW


@pytest.mark.parametrize(
    ("ahead", "too_far"),
    [
        pytest.param(timedelta(days=-3650), False, id="ten-years-ago"),
        pytest.param(timedelta(0), False, id="now"),
        pytest.param(timedelta(minutes=5) - A_MOMENT, False, id="just-under-5-minutes"),
        pytest.param(timedelta(minutes=5), False, id="5-minutes"),
        pytest.param(timedelta(minutes=5) + A_MOMENT, True, id="just-over-5-minutes"),
        pytest.param(timedelta(days=1), True, id="a-day"),
    ],
)
def test_a_report_may_be_at_most_five_minutes_ahead_of_our_clock(
    ahead: timedelta, too_far: bool
) -> None:
    assert is_too_far_ahead(CONFIRMED + ahead, CONFIRMED) is too_far


def test_a_state_is_either_healthy_or_unhealthy() -> None:
    assert {PENDING, FAILED} == UNHEALTHY
    assert {ACTIVE, DISABLED} == (set(State) - UNHEALTHY)


def test_states_and_results_are_the_words_of_the_public_interface() -> None:
    assert [str(state) for state in State] == ["pending", "active", "failed", "disabled"]
    assert [str(result) for result in Result] == [
        "applied",
        "unchanged",
        "duplicate",
        "stale",
        "rejected",
    ]


@given(history=st.lists(reports), report=reports)
def test_the_same_report_again_has_no_second_effect(
    history: list[tuple[State, datetime]], report: tuple[State, datetime]
) -> None:
    first = decide(after(*history), *report)
    second = decide(first.standing, *report)
    assert second == Decision(STALE if first.result is STALE else UNCHANGED, first.standing)


@given(st.lists(reports, min_size=1))
def test_the_last_report_stands_in_whatever_order_they_arrive(
    told: list[tuple[State, datetime]],
) -> None:
    last = max(occurred_at for _, occurred_at in told)
    state = [state for state, occurred_at in told if occurred_at == last][-1]
    assert (after(*told).state, after(*told).reported_at) == (state, last)


@given(st.lists(reports, min_size=1), st.integers(-14, 14))
def test_the_time_zone_of_a_report_does_not_matter(
    told: list[tuple[State, datetime]], hours: int
) -> None:
    zone = timezone(timedelta(hours=hours))
    assert after(*((state, at.astimezone(zone)) for state, at in told)) == after(*told)
