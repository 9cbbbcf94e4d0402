"""R2 to R10: long and unruly lives of an integration, held against `naive_model`.

The rules are put together as `integrations.reporting` and `alerts.planning` do it. Time is whole
minutes here; the exact boundaries are in `test_schedule`.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from tests.unit.naive_model import DAY, DUE_AFTER, HOUR, Model, Notice

from integration_alerts.rules.schedule import Step, first_look_at, plan
from integration_alerts.rules.states import (
    NEW,
    IncidentEffect,
    Result,
    Standing,
    State,
    decide,
    is_too_far_ahead,
)

START = datetime(2026, 1, 1, tzinfo=UTC)


def instant(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def minute_of(moment: datetime) -> int:
    return (moment - START) // timedelta(minutes=1)


@dataclass
class Product:
    """One integration; what the product keeps in rows is kept in fields."""

    standing: Standing = NEW
    incident: int = 0
    open: bool = False
    look_at: datetime | None = None
    look_was_planned: bool = False
    """Whether `look_at` comes from a plan, which promises that there will be something to do."""
    happened: dict[tuple[int, State], set[Step]] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)
    notices: list[Notice] = field(default_factory=list)
    passes: int = 0

    def report(self, event: int, state: State, occurred_at: datetime, now: datetime) -> Result:
        if is_too_far_ahead(occurred_at, now):
            return Result.REJECTED
        if event in self.seen:
            return Result.DUPLICATE
        self.seen.add(event)
        decision = decide(self.standing, state, occurred_at)
        self.standing = decision.standing
        match decision.incident:
            case IncidentEffect.OPENS:
                assert not self.open
                self.incident += 1
                self.open = True
                self._look(first_look_at(state, occurred_at, now))
            case IncidentEffect.ENTERS:
                assert self.open
                self._look(now)
            case IncidentEffect.CLOSES:
                assert self.open
                self.open = False
                self._look(None)
            case IncidentEffect.NONE:
                pass
        return decision.result

    def planning_pass(self, now: datetime) -> list[Notice]:
        """Plan if a look is due, as the query by `next_notice_at` does; returns what is new."""
        self.passes += 1
        if self.look_at is None or self.look_at > now:
            return []
        state, since = self.standing.state, self.standing.since
        assert state is not None
        assert since is not None
        happened = self.happened.setdefault((self.incident, state), set())
        decision = plan(state, since, happened, now)
        steps = [(step, "superseded") for step in decision.superseded]
        if decision.send is not None:
            steps.append((decision.send, "sent"))
        happened.update(step for step, _ in steps)
        self._look(decision.next_due_at, planned=True)
        new = [
            Notice(
                self.incident, state, step, outcome, minute_of(since), minute_of(now), self.passes
            )
            for step, outcome in steps
        ]
        self.notices += new
        return new

    def _look(self, at: datetime | None, *, planned: bool = False) -> None:
        self.look_at, self.look_was_planned = at, planned


# Mostly broken, and mostly reported when it happens: that is where the rules have something to say.
states = st.sampled_from([State.FAILED, State.PENDING] * 2 + [State.ACTIVE, State.DISABLED])
ages = st.one_of(
    st.just(0),
    st.just(0),
    st.integers(-8, 8),
    st.integers(0, 2 * HOUR),
    st.integers(0, 30).map(lambda days: days * DAY),
)
whiles = st.integers(1, 2 * DAY) | st.integers(1, 30).map(lambda days: days * DAY)


class LifeOfAnIntegration(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.product = Product()
        self.model = Model()

    def _report(self, state: State, occurred: int) -> Result:
        event = len(self.model.reports) + 1
        result = self.product.report(event, state, instant(occurred), instant(self.now))
        if result is not Result.REJECTED:
            self.model.reports[event] = (occurred, str(state))
        return result

    def _plan(self) -> list[Notice]:
        self.model.passes.append((self.now, self.model.trouble()))
        new = self.product.planning_pass(instant(self.now))
        assert self.product.look_at is None or self.product.look_at > instant(self.now)
        return new

    # What happens

    @rule(state=states, age=ages)
    def a_report_arrives(self, state: State, age: int) -> None:
        result = self._report(state, self.now - age)
        assert (result is Result.REJECTED) is (age < -5)

    @precondition(lambda self: self.product.open)
    @rule()
    def it_goes_from_one_broken_state_to_the_other(self) -> None:
        failed = self.product.standing.state is State.FAILED
        newest = max(occurred for occurred, _ in self.model.reports.values())
        result = self._report(State.PENDING if failed else State.FAILED, max(self.now, newest))
        assert result is Result.APPLIED

    @precondition(lambda self: self.model.reports)
    @rule(state=states)
    def a_report_of_the_same_instant_as_the_newest_arrives(self, state: State) -> None:
        newest = max(occurred for occurred, _ in self.model.reports.values())
        assert self._report(state, newest) in (Result.APPLIED, Result.UNCHANGED)

    @precondition(lambda self: self.model.reports)
    @rule(data=st.data())
    def a_report_is_delivered_twice(self, data: st.DataObject) -> None:
        event = data.draw(st.sampled_from(list(self.model.reports)))
        occurred, state = self.model.reports[event]
        result = self.product.report(event, State(state), instant(occurred), instant(self.now))
        assert result is Result.DUPLICATE

    @rule(minutes=whiles)
    def the_planner_wakes_when_it_asked_to_and_always_finds_something_to_send(
        self, minutes: int
    ) -> None:
        end = self.now + minutes
        while (look := self.product.look_at) is not None and minute_of(look) <= end:
            self.now = max(self.now, minute_of(look))
            promised = self.product.look_was_planned
            sent = [notice for notice in self._plan() if notice.outcome == "sent"]
            assert len(sent) == 1 or not promised
        self.now = end

    @rule(minutes=whiles)
    def time_passes_and_no_planner_is_up(self, minutes: int) -> None:
        self.now += minutes

    @precondition(lambda self: self.model.next_due(self.now) is not None)
    @rule(offset=st.integers(-1, 1))
    def time_passes_to_the_brink_of_the_next_step(self, offset: int) -> None:
        due = self.model.next_due(self.now)
        assert due is not None
        self.now = max(self.now, due + offset)

    @rule()
    def a_planning_pass_happens(self) -> None:
        self._plan()

    # What must always be so

    @invariant()
    def the_last_report_stands(self) -> None:
        """R2: by time, and at equal times by arrival."""
        by_time = sorted(self.model.reports.values(), key=lambda report: report[0])
        assert self.product.standing.state == (by_time[-1][1] if by_time else None)

    @invariant()
    def the_clock_runs_from_the_entry_into_the_state(self) -> None:
        """R2, R4."""
        changes = self.model.changes()
        assert self.product.standing.since == (instant(changes[-1][0]) if changes else None)

    @invariant()
    def an_incident_is_open_exactly_while_the_integration_is_broken(self) -> None:
        """R3."""
        trouble = self.model.trouble()
        assert self.product.open is (trouble is not None)
        assert trouble is None or self.product.incident == trouble.incident

    @invariant()
    def the_notices_are_those_of_the_model(self) -> None:
        """R4 to R10 together: nothing is missing, nothing is added, nothing is late."""
        assert set(self.product.notices) == self.model.notices()

    @invariant()
    def a_step_happens_at_most_once(self) -> None:
        """R7."""
        steps = Counter(notice[:3] for notice in self.product.notices)
        assert set(steps.values()) <= {1}

    @invariant()
    def a_pass_sends_one_step_and_supersedes_only_earlier_ones(self) -> None:
        """R8."""
        order = list(DUE_AFTER["failed"])
        for number in {notice.planning_pass for notice in self.product.notices}:
            steps = [notice for notice in self.product.notices if notice.planning_pass == number]
            steps.sort(key=lambda notice: order.index(notice.step))
            superseded = ["superseded"] * (len(steps) - 1)
            assert [notice.outcome for notice in steps] == [*superseded, "sent"]

    @invariant()
    def nothing_is_planned_for_what_did_not_stand_then(self) -> None:
        """R4, R10: neither for an incident that is closed nor for a state that was left."""
        for notice in self.product.notices:
            _, trouble = self.model.passes[notice.planning_pass - 1]
            assert trouble == (notice.incident, notice.state, notice.since)

    @invariant()
    def nothing_is_planned_before_its_time(self) -> None:
        """R5, R6: a report may be ahead of our clock, and a failure is told at once then too."""
        for notice in self.product.notices:
            elapsed = max(notice.planned - notice.since, 0)
            assert elapsed >= DUE_AFTER[notice.state][notice.step]

    @invariant()
    def after_the_last_reminder_there_is_silence(self) -> None:
        """R9: for that state of that incident."""
        told: dict[tuple[int, str], str] = {}
        for notice in self.product.notices:
            assert told.get((notice.incident, notice.state)) != "reminder_21"
            told[notice.incident, notice.state] = notice.step

    @invariant()
    def the_planner_is_asked_to_look_before_anything_is_late(self) -> None:
        due, look = self.model.next_due(self.now), self.product.look_at
        assert due is None or (look is not None and minute_of(look) <= max(due, self.now))

    @invariant()
    def nobody_looks_at_what_is_healthy(self) -> None:
        """R10."""
        assert self.product.open or self.product.look_at is None


TestLifeOfAnIntegration = LifeOfAnIntegration.TestCase
TestLifeOfAnIntegration.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 25 * 24), states), min_size=1, max_size=8))
def test_a_planner_that_wakes_only_when_asked_does_what_one_that_never_sleeps_does(
    story: list[tuple[int, State]],
) -> None:
    """All steps fall due on the hour here, so that one look an hour is to never sleep."""
    gaps, told = zip(*story, strict=True)
    hours = list(accumulate(gaps))
    product, model = Product(), Model()
    for event, (hour, state, until) in enumerate(
        zip(hours, told, [*hours[1:], hours[-1] + 30 * 24], strict=True), 1
    ):
        now = instant(hour * HOUR)
        product.report(event, state, now, now)
        model.reports[event] = (hour * HOUR, str(state))
        while product.look_at is not None and (look := max(product.look_at, now)) < instant(
            until * HOUR
        ):
            product.planning_pass(look)
        trouble = model.trouble()
        model.passes += [(awake * HOUR, trouble) for awake in range(hour, until)]
    expected = {notice[:6] for notice in model.notices()}
    assert {notice[:6] for notice in product.notices} == expected
    assert all(notice.outcome == "sent" for notice in product.notices)
