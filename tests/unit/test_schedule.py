"""R4 to R9: which step of an incident is due, and when the planner must look again."""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_alerts.rules.schedule import (
    LAST_STEP,
    STEPS,
    Plan,
    Step,
    due_at,
    first_look_at,
    plan,
)
from integration_alerts.rules.states import State

PENDING, FAILED = State.PENDING, State.FAILED
ALERT, REMINDER_7, REMINDER_14, REMINDER_21 = STEPS

SINCE = datetime(2026, 3, 27, 12, tzinfo=UTC)
A_MOMENT = timedelta(microseconds=1)
AT_ONCE = timedelta(0)
DAY = timedelta(hours=24)

DELAYS = [
    (FAILED, ALERT, AT_ONCE),
    (FAILED, REMINDER_7, 7 * DAY),
    (FAILED, REMINDER_14, 14 * DAY),
    (FAILED, REMINDER_21, 21 * DAY),
    (PENDING, ALERT, DAY),
    (PENDING, REMINDER_7, 7 * DAY),
    (PENDING, REMINDER_14, 14 * DAY),
    (PENDING, REMINDER_21, 21 * DAY),
]
STEP_IDS = [f"{state}-{step}" for state, step, _ in DELAYS]
every_step = pytest.mark.parametrize(("state", "step", "delay"), DELAYS, ids=STEP_IDS)
# All but the alert of a failure, which is due from the beginning.
every_later_step = pytest.mark.parametrize(("state", "step", "delay"), DELAYS[1:], ids=STEP_IDS[1:])
broken_states = pytest.mark.parametrize("state", [FAILED, PENDING])

states = st.sampled_from([FAILED, PENDING])
happenings = st.frozensets(st.sampled_from(STEPS))
instants = st.timedeltas(-1000 * DAY, 1000 * DAY).map(lambda distance: SINCE + distance)
# Anything, and all that is special: the instants at which steps fall due, and those next to them.
elapses = st.one_of(
    st.timedeltas(timedelta(minutes=-5), 30 * DAY),
    st.builds(
        lambda delay, offset: delay + offset,
        st.sampled_from([delay for *_, delay in DELAYS]),
        st.sampled_from([-A_MOMENT, AT_ONCE, A_MOMENT]),
    ),
)


def before(step: Step) -> tuple[Step, ...]:
    return STEPS[: STEPS.index(step)]


def until(step: Step) -> tuple[Step, ...]:
    return (*before(step), step)


@every_step
def test_a_step_is_due_this_long_after_its_state_was_entered(
    state: State, step: Step, delay: timedelta
) -> None:
    assert due_at(state, SINCE, step) == SINCE + delay


@every_later_step
def test_a_step_is_not_sent_a_microsecond_early(state: State, step: Step, delay: timedelta) -> None:
    due = SINCE + delay
    assert plan(state, SINCE, before(step), due - A_MOMENT) == Plan(None, (), due)


@every_step
def test_a_step_is_sent_at_the_instant_it_falls_due(
    state: State, step: Step, delay: timedelta
) -> None:
    decision = plan(state, SINCE, before(step), SINCE + delay)
    assert (decision.send, decision.superseded) == (step, ())


@every_step
def test_a_step_that_happened_is_not_sent_again(state: State, step: Step, delay: timedelta) -> None:
    decision = plan(state, SINCE, until(step), SINCE + delay)
    assert (decision.send, decision.superseded) == (None, ())


@pytest.mark.parametrize(
    ("state", "happened", "elapsed", "upcoming"),
    [
        pytest.param(FAILED, (), AT_ONCE, 7 * DAY, id="failed-alert"),
        pytest.param(FAILED, until(ALERT), 7 * DAY, 14 * DAY, id="failed-reminder_7"),
        pytest.param(FAILED, until(REMINDER_7), 14 * DAY, 21 * DAY, id="failed-reminder_14"),
        pytest.param(FAILED, until(REMINDER_14), 21 * DAY, None, id="failed-reminder_21"),
        pytest.param(PENDING, (), AT_ONCE, DAY, id="pending-nothing-yet"),
        pytest.param(PENDING, (), DAY, 7 * DAY, id="pending-alert"),
        pytest.param(PENDING, until(ALERT), 7 * DAY, 14 * DAY, id="pending-reminder_7"),
        pytest.param(PENDING, until(REMINDER_7), 14 * DAY, 21 * DAY, id="pending-reminder_14"),
        pytest.param(PENDING, until(REMINDER_14), 21 * DAY, None, id="pending-reminder_21"),
    ],
)
def test_the_planner_looks_again_when_the_next_step_falls_due(
    state: State, happened: Collection[Step], elapsed: timedelta, upcoming: timedelta | None
) -> None:
    expected = None if upcoming is None else SINCE + upcoming
    assert plan(state, SINCE, happened, SINCE + elapsed).next_due_at == expected


@pytest.mark.parametrize(
    ("state", "happened", "elapsed", "send", "superseded", "upcoming"),
    [
        pytest.param(FAILED, (), 7 * DAY - A_MOMENT, ALERT, (), 7 * DAY, id="failed-late-alert"),
        pytest.param(FAILED, (), 7 * DAY, REMINDER_7, (ALERT,), 14 * DAY, id="failed-7-days"),
        pytest.param(
            FAILED, (), 14 * DAY, REMINDER_14, (ALERT, REMINDER_7), 21 * DAY, id="failed-14-days"
        ),
        pytest.param(
            FAILED, (), 21 * DAY, REMINDER_21, (ALERT, REMINDER_7, REMINDER_14), None,
            id="failed-21-days",
        ),
        pytest.param(
            FAILED, (), 365 * DAY, REMINDER_21, (ALERT, REMINDER_7, REMINDER_14), None,
            id="failed-a-year",
        ),
        pytest.param(
            FAILED, (ALERT,), 14 * DAY, REMINDER_14, (REMINDER_7,), 21 * DAY,
            id="failed-alert-sent-then-14-days",
        ),
        pytest.param(
            FAILED, (ALERT, REMINDER_7), 30 * DAY, REMINDER_21, (REMINDER_14,), None,
            id="failed-first-reminder-sent-then-30-days",
        ),
        pytest.param(PENDING, (), 7 * DAY - A_MOMENT, ALERT, (), 7 * DAY, id="pending-late-alert"),
        pytest.param(PENDING, (), 7 * DAY, REMINDER_7, (ALERT,), 14 * DAY, id="pending-7-days"),
        pytest.param(
            PENDING, (), 22 * DAY, REMINDER_21, (ALERT, REMINDER_7, REMINDER_14), None,
            id="pending-22-days",
        ),
    ],
)  # fmt: skip
def test_of_several_steps_due_together_only_the_latest_is_sent(
    state: State,
    happened: Collection[Step],
    elapsed: timedelta,
    send: Step,
    superseded: tuple[Step, ...],
    upcoming: timedelta | None,
) -> None:
    next_due_at = None if upcoming is None else SINCE + upcoming
    assert plan(state, SINCE, happened, SINCE + elapsed) == Plan(send, superseded, next_due_at)


@broken_states
@pytest.mark.parametrize("elapsed", [21 * DAY, 28 * DAY, 1000 * DAY], ids=lambda e: f"{e.days}d")
def test_after_the_last_reminder_there_is_silence(state: State, elapsed: timedelta) -> None:
    assert plan(state, SINCE, STEPS, SINCE + elapsed) == Plan(None, (), None)


def test_the_reminder_after_21_days_is_the_last_step() -> None:
    assert [str(step) for step in STEPS] == ["alert", "reminder_7", "reminder_14", "reminder_21"]
    assert LAST_STEP is REMINDER_21


@pytest.mark.parametrize(
    ("state", "happened", "elapsed", "send", "upcoming"),
    [
        pytest.param(FAILED, until(ALERT), AT_ONCE, None, 7 * DAY, id="failed-no-second-alert"),
        pytest.param(FAILED, until(ALERT), 7 * DAY, REMINDER_7, 14 * DAY, id="failed-reminder_7"),
        pytest.param(FAILED, until(REMINDER_7), AT_ONCE, None, 14 * DAY, id="failed-told-twice"),
        pytest.param(FAILED, until(REMINDER_7), 7 * DAY, None, 14 * DAY, id="failed-7-days-on"),
        pytest.param(
            FAILED, until(REMINDER_7), 14 * DAY, REMINDER_14, 21 * DAY, id="failed-14-days-on"
        ),
        pytest.param(FAILED, STEPS, 30 * DAY, None, None, id="failed-told-everything"),
        pytest.param(PENDING, until(ALERT), DAY, None, 7 * DAY, id="pending-no-second-alert"),
        pytest.param(PENDING, (), DAY - A_MOMENT, None, DAY, id="pending-waits-24-hours-again"),
        pytest.param(PENDING, until(REMINDER_14), 20 * DAY, None, 21 * DAY, id="pending-20-days"),
    ],
)
def test_a_state_that_is_entered_again_repeats_no_step_and_has_a_new_clock(
    state: State,
    happened: Collection[Step],
    elapsed: timedelta,
    send: Step | None,
    upcoming: timedelta | None,
) -> None:
    again = SINCE + 3 * DAY
    next_due_at = None if upcoming is None else again + upcoming
    assert plan(state, again, happened, again + elapsed) == Plan(send, (), next_due_at)


def test_a_step_that_was_missed_in_between_is_superseded_and_not_sent_late() -> None:
    decision = plan(FAILED, SINCE, {ALERT, REMINDER_14}, SINCE + 21 * DAY)
    assert decision == Plan(REMINDER_21, (REMINDER_7,), None)


@pytest.mark.parametrize("ahead", [A_MOMENT, timedelta(minutes=5)], ids=["a-moment", "5-minutes"])
def test_a_failure_reported_ahead_of_our_clock_is_told_at_once(ahead: timedelta) -> None:
    since = SINCE + ahead
    assert plan(FAILED, since, (), SINCE) == Plan(ALERT, (), since + 7 * DAY)


def test_a_failure_ahead_of_our_clock_is_told_once() -> None:
    since = SINCE + timedelta(minutes=5)
    assert plan(FAILED, since, {ALERT}, SINCE) == Plan(None, (), since + 7 * DAY)


def test_pending_ahead_of_our_clock_waits_24_hours_from_its_own_time() -> None:
    since = SINCE + timedelta(minutes=5)
    assert plan(PENDING, since, (), SINCE) == Plan(None, (), since + DAY)


@pytest.mark.parametrize(
    ("state", "age", "first_look"),
    [
        pytest.param(FAILED, AT_ONCE, AT_ONCE, id="failed-now"),
        pytest.param(FAILED, 8 * DAY, -8 * DAY, id="failed-reported-late"),
        pytest.param(FAILED, timedelta(minutes=-5), AT_ONCE, id="failed-ahead-of-our-clock"),
        pytest.param(PENDING, AT_ONCE, DAY, id="pending-now"),
        pytest.param(PENDING, DAY / 2, DAY / 2, id="pending-half-a-day-ago"),
        pytest.param(PENDING, 8 * DAY, -7 * DAY, id="pending-reported-late"),
        pytest.param(PENDING, timedelta(minutes=-5), DAY, id="pending-ahead-of-our-clock"),
    ],
)
def test_the_planner_first_looks_when_the_alert_may_be_due(
    state: State, age: timedelta, first_look: timedelta
) -> None:
    now = SINCE
    assert first_look_at(state, now - age, now) == now + first_look


@every_step
def test_elapsed_time_counts_whatever_offset_the_report_was_written_in(
    state: State, step: Step, delay: timedelta
) -> None:
    kathmandu = SINCE.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert due_at(state, kathmandu, step) == SINCE + delay


@given(states, st.timedeltas(-30 * DAY, timedelta(minutes=5)), st.timedeltas(AT_ONCE, 30 * DAY))
def test_nothing_is_missed_by_not_looking_before_the_first_look(
    state: State, ahead: timedelta, later: timedelta
) -> None:
    now = SINCE
    first_look = first_look_at(state, now + ahead, now)
    looked = now + later
    assert plan(state, now + ahead, (), looked).send is None or first_look <= looked


@given(states, instants, happenings, elapses)
def test_a_plan_never_repeats_a_step_and_supersedes_only_earlier_ones(
    state: State, since: datetime, happened: Collection[Step], elapsed: timedelta
) -> None:
    decision = plan(state, since, happened, since + elapsed)
    named = (*decision.superseded, *([decision.send] if decision.send else []))
    assert named == tuple(step for step in STEPS if step in named and step not in happened)
    assert (decision.send is None) <= (decision.superseded == ())


@given(states, instants, happenings, elapses)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do_at_that_moment(
    state: State, since: datetime, happened: frozenset[Step], elapsed: timedelta
) -> None:
    first = plan(state, since, happened, since + elapsed)
    done = happened | {*first.superseded, *([first.send] if first.send else [])}
    assert plan(state, since, done, since + elapsed) == Plan(None, (), first.next_due_at)


@given(states, instants, happenings, elapses)
def test_the_next_look_is_neither_late_nor_in_vain(
    state: State, since: datetime, happened: frozenset[Step], elapsed: timedelta
) -> None:
    first = plan(state, since, happened, since + elapsed)
    done = happened | {*first.superseded, *([first.send] if first.send else [])}
    look = first.next_due_at
    if look is None:
        assert done == set(STEPS)
    else:
        assert look > since + elapsed
        assert plan(state, since, done, look - A_MOMENT) == Plan(None, (), look)
        decision = plan(state, since, done, look)
        assert (decision.send in STEPS, decision.superseded) == (True, ())


@given(states, happenings, elapses, st.timedeltas(-1000 * DAY, 1000 * DAY))
def test_a_plan_depends_on_elapsed_time_and_on_no_clock(
    state: State, happened: Collection[Step], elapsed: timedelta, shift: timedelta
) -> None:
    here = plan(state, SINCE, happened, SINCE + elapsed)
    there = plan(state, SINCE + shift, happened, SINCE + shift + elapsed)
    moved = None if here.next_due_at is None else here.next_due_at + shift
    assert there == Plan(here.send, here.superseded, moved)


@given(states, st.lists(st.sampled_from(STEPS)), elapses, st.sampled_from([set, tuple, frozenset]))
def test_what_happened_may_be_told_in_any_order_and_more_than_once(
    state: State,
    happened: list[Step],
    elapsed: timedelta,
    collect: Callable[[Iterable[Step]], Collection[Step]],
) -> None:
    now = SINCE + elapsed
    expected = plan(state, SINCE, [step for step in STEPS if step in happened], now)
    assert plan(state, SINCE, collect(happened), now) == expected
