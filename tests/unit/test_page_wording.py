"""Times and numbers as the pages say them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from integration_alerts.web.wording import ago, count, exact

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=31), "1 month ago"),
        (timedelta(days=61), "31 Dec 2025"),
        (-timedelta(seconds=5), "in a moment"),
        (-timedelta(days=3, hours=1), "in 3 days"),
    ],
)
def test_how_long_ago(before: timedelta, words: str) -> None:
    assert ago(NOW - before, NOW, UTC) == words


def test_a_far_time_is_a_date_in_the_readers_zone() -> None:
    moment = datetime(2025, 6, 30, 23, 30, tzinfo=UTC)
    assert ago(moment, NOW, BERLIN) == "1 Jul 2025"


@pytest.mark.parametrize(
    ("moment", "zone", "words"),
    [
        (NOW, UTC, "2 Mar 2026, 09:00:00 UTC"),
        (NOW, BERLIN, "2 Mar 2026, 10:00 CET, 09:00:00 UTC"),
        (NOW, ZoneInfo("America/Sao_Paulo"), "2 Mar 2026, 06:00 UTC-03, 09:00:00 UTC"),
        (NOW.replace(hour=23), BERLIN, "3 Mar 2026, 00:00 CET, 23:00:00 UTC of 2 Mar"),
    ],
)
def test_the_exact_time_names_the_zone_and_utc(
    moment: datetime, zone: ZoneInfo, words: str
) -> None:
    assert exact(moment, zone) == words


def test_the_exact_time_without_utc() -> None:
    assert exact(NOW, BERLIN, with_utc=False) == "2 Mar 2026, 10:00 CET"


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 companies"), (1, "1 company"), (1200, "1,200 companies")]
)
def test_numbers_of_things(number: int, words: str) -> None:
    assert count(number, "company", "companies") == words
