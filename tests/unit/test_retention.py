"""What is kept, and what may go: every reason, and the instants between them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_alerts.rules import retention
from integration_alerts.rules.flapping import QUIET
from integration_alerts.rules.retention import (
    ChangeFacts,
    EmailFacts,
    IncidentFacts,
    Kept,
    Policy,
    email_stays,
    horizons,
    incident_stays,
    spent,
)
from integration_alerts.rules.schedule import STEPS, due_at
from integration_alerts.rules.states import Result, Standing, State, decide

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HORIZON = NOW - timedelta(days=100)
TICK = timedelta(microseconds=1)
LONG_AGO = HORIZON - timedelta(days=300)


def days(number: int) -> timedelta:
    return timedelta(days=number)


def test_each_kind_has_its_own_horizon() -> None:
    found = horizons(Policy(days(400), days(300), days(90), days(30)), NOW)
    assert (found.changes, found.emails) == (NOW - days(400), NOW - days(300))
    assert (found.messages, found.receipts) == (NOW - days(90), NOW - days(30))


@pytest.mark.parametrize(("history", "emails"), [(400, 90), (90, 400), (400, 400)])
def test_an_incident_is_kept_as_long_as_history_and_as_long_as_emails(
    history: int, emails: int
) -> None:
    policy = Policy(days(history), days(emails), days(90), days(30))
    assert horizons(policy, NOW).incidents == NOW - days(400)


def test_an_event_id_is_known_until_the_last_reminder_and_longer() -> None:
    assert max(due_at(State.FAILED, NOW, step) for step in STEPS) < NOW + retention.LEAST_RECEIPTS


@pytest.mark.parametrize(
    ("email", "reason"),
    [
        (EmailFacts(None, unsettled=False, last_closed_at=None, flapping_opened_at=None),
         Kept.GOES_ON),
        (EmailFacts(HORIZON, unsettled=False, last_closed_at=LONG_AGO, flapping_opened_at=None),
         Kept.YOUNG),
        (EmailFacts(LONG_AGO, unsettled=True, last_closed_at=LONG_AGO, flapping_opened_at=None),
         Kept.NEEDED),
        (EmailFacts(LONG_AGO, unsettled=False, last_closed_at=HORIZON, flapping_opened_at=None),
         Kept.NEEDED),
        (EmailFacts(LONG_AGO, unsettled=False, last_closed_at=LONG_AGO,
                    flapping_opened_at=NOW - QUIET + TICK), Kept.FLAPPING),
        (EmailFacts(LONG_AGO, unsettled=False, last_closed_at=LONG_AGO,
                    flapping_opened_at=NOW - QUIET), None),
        (EmailFacts(HORIZON - TICK, unsettled=False, last_closed_at=HORIZON - TICK,
                    flapping_opened_at=None), None),
        (EmailFacts(LONG_AGO, unsettled=False, last_closed_at=None, flapping_opened_at=None), None),
    ],
)  # fmt: skip
def test_why_an_email_stays(email: EmailFacts, reason: Kept | None) -> None:
    assert email_stays(email, HORIZON, NOW) is reason


@pytest.mark.parametrize(
    ("incident", "reason"),
    [
        (IncidentFacts(None, unsettled=False, told=False), Kept.GOES_ON),
        (IncidentFacts(LONG_AGO, unsettled=True, told=False), Kept.GOES_ON),
        (IncidentFacts(HORIZON, unsettled=False, told=False), Kept.YOUNG),
        (IncidentFacts(HORIZON - TICK, unsettled=False, told=True), Kept.TOLD),
        (IncidentFacts(HORIZON - TICK, unsettled=False, told=False), None),
    ],
)
def test_why_an_incident_stays(incident: IncidentFacts, reason: Kept | None) -> None:
    assert incident_stays(incident, HORIZON) is reason


def change(id_: int, hours: int, *, stale: bool = False) -> ChangeFacts:
    return ChangeFacts(id_, LONG_AGO + timedelta(hours=hours), stale)


@pytest.mark.parametrize(
    ("changes", "opened", "gone"),
    [
        ([], None, []),
        ([change(1, 0)], None, []),
        ([change(1, 0), change(2, 1), change(3, 2)], None, [1, 2]),
        ([change(3, 0), change(2, 1), change(1, 2)], None, [3, 2]),
        ([change(1, 0), change(2, 0)], None, [1]),  # of one instant: the later to arrive
        ([change(1, 5), change(2, 1, stale=True)], None, [2]),
        ([change(1, 1, stale=True), change(2, 2, stale=True)], None, [1, 2]),
        ([change(1, 0), change(2, 1), change(3, 2), change(4, 3)], 1, [1]),
    ],
)
def test_which_changes_may_go(
    changes: list[ChangeFacts], opened: int | None, gone: list[int]
) -> None:
    opened_at = None if opened is None else LONG_AGO + timedelta(hours=opened)
    assert spent(changes, opened_at) == gone


@given(
    st.lists(st.tuples(st.integers(0, 50), st.booleans()), max_size=30),
    st.integers(1, 30),
)
def test_pruning_in_pieces_leaves_what_pruning_at_once_leaves(
    made: list[tuple[int, bool]], piece: int
) -> None:
    changes = [change(id_, hours, stale=stale) for id_, (hours, stale) in enumerate(made, start=1)]
    left: list[ChangeFacts] = []
    for begin in range(0, len(changes), piece):
        left += changes[begin : begin + piece]
        gone = set(spent(left, None))
        left = [each for each in left if each.id not in gone]
    at_once = set(spent(changes, None))
    assert {each.id for each in left} == {each.id for each in changes} - at_once


@given(st.lists(st.sampled_from(list(State)), min_size=1, max_size=12), st.data())
def test_a_report_whose_event_id_was_forgotten_changes_no_state(
    states: list[State], data: st.DataObject
) -> None:
    standing = Standing(None, None, None)
    reports = [(state, LONG_AGO + timedelta(hours=hours)) for hours, state in enumerate(states)]
    for state, at in reports:
        standing = decide(standing, state, at).standing
    state, at = data.draw(st.sampled_from(reports))
    again = decide(standing, state, at)
    assert again.result in {Result.STALE, Result.UNCHANGED}
    assert (again.standing.state, again.standing.since) == (standing.state, standing.since)
