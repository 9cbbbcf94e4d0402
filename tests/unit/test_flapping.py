"""Which integrations are flapping, and what becomes of their alerts (SPEC R23)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_alerts.rules.flapping import NONE, Openings, is_flapping, opened, says_so

START = datetime(2026, 5, 3, 9, 0, tzinfo=UTC)


def hours(number: float) -> datetime:
    return START + timedelta(hours=number)


def after(*openings: float) -> Openings:
    """What is known once incidents have opened at these hours."""
    known = NONE
    for hour in openings:
        known = opened(known, hours(hour))
    return known


@pytest.mark.parametrize(
    ("openings", "since"),
    [
        ((0,), None),
        ((0, 1), None),
        ((0, 1, 2), 2),  # the third within 24 h
        ((0, 12, 24), 24),  # 24 h to the minute are within
        ((0, 12, 24.1), None),
        ((0, 23, 46, 69), None),  # never three within 24 h
        ((0, 1, 2, 3), 2),  # it goes on from its beginning
        ((0, 1, 2, 20, 40, 63), 2),  # while no 24 h are quiet
        ((0, 1, 2, 26), None),  # quiet for 24 h: it is over
        ((0, 1, 2, 26, 27, 28), 28),  # and may begin again
    ],
)
def test_the_third_incident_within_24_hours_begins_the_flapping(
    openings: tuple[float, ...], since: float | None
) -> None:
    assert after(*openings).flapping_since == (None if since is None else hours(since))


@pytest.mark.parametrize(
    ("openings", "now", "flaps"),
    [((0, 1), 1, False), ((0, 1, 2), 2, True), ((0, 1, 2), 25.9, True), ((0, 1, 2), 26, False)],
)
def test_it_flaps_until_24_hours_were_quiet(
    openings: tuple[float, ...], now: float, flaps: bool
) -> None:
    assert is_flapping(after(*openings), hours(now)) is flaps


def test_an_integration_without_incidents_does_not_flap() -> None:
    assert not is_flapping(NONE, START)


@pytest.mark.parametrize(
    ("since", "due", "says"),
    [
        (None, 2, False),
        (2, 2, True),
        (0, 2, True),
        (0, 25.9, True),
        (2, 26, False),  # pending for 24 h: as long was it quiet
    ],
)
def test_alerts_of_a_flapping_say_so(since: float | None, due: float, says: bool) -> None:
    flapping_since = None if since is None else hours(since)
    assert says_so(flapping_since, hours(2), hours(due)) is says


@given(gaps=st.lists(st.integers(0, 30 * 60), max_size=30))
def test_what_is_carried_on_agrees_with_the_whole_history(gaps: list[int]) -> None:
    known, history = NONE, []
    at, since = START, None
    for gap in gaps:
        at += timedelta(minutes=gap)
        history.append(at)
        known = opened(known, at)
        day = timedelta(hours=24)
        quiet = len(history) < 2 or at - history[-2] >= day
        recent = [each for each in history if at - each <= day]
        since = None if quiet else since or (at if len(recent) >= 3 else None)
        assert known.flapping_since == since
