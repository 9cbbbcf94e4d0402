"""When a recipient's notices go together (SPEC R22)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_alerts.rules.grouping import Rhythm, goes_at

START = datetime(2026, 5, 3, 9, 0, tzinfo=UTC)


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


USUAL = Rhythm(seconds(30), seconds(300))
AT_ONCE = Rhythm(seconds(0), seconds(0))


@pytest.mark.parametrize(
    ("rhythm", "last", "arrived", "goes"),
    [
        (USUAL, None, 0, 30),  # the first one waits for others
        (USUAL, 0, 1, 300),  # a later one goes with the next beat
        (USUAL, 0, 299, 300),
        (USUAL, 0, 300, 330),  # after a silence it is a first one again
        (USUAL, 0, 5000, 5030),
        (AT_ONCE, None, 0, 0),
        (AT_ONCE, 0, 0, 0),
        (AT_ONCE, 0, 7, 7),
        (Rhythm(seconds(0), seconds(300)), None, 0, 0),
        (Rhythm(seconds(0), seconds(300)), 0, 10, 300),
        (Rhythm(seconds(30), seconds(0)), 0, 10, 40),
    ],
)
def test_a_group_goes_after_the_wait_and_then_at_the_interval(
    rhythm: Rhythm, last: float | None, arrived: float, goes: float
) -> None:
    written = None if last is None else START + seconds(last)
    assert goes_at(START + seconds(arrived), written, rhythm) == START + seconds(goes)


@given(
    wait=st.integers(0, 600),
    interval=st.integers(0, 600),
    since_last=st.none() | st.integers(0, 10_000),
)
def test_no_group_goes_before_its_first_notice_or_within_an_interval_of_the_last_mail(
    wait: int, interval: int, since_last: int | None
) -> None:
    last = None if since_last is None else START - seconds(since_last)
    goes = goes_at(START, last, Rhythm(seconds(wait), seconds(interval)))
    assert START <= goes <= START + seconds(max(wait, interval))
    if last is not None:
        assert goes - last >= seconds(interval)
