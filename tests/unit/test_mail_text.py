"""Text from outside in mails, and times in words."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_alerts.mail.moments import ago, when
from integration_alerts.mail.text import COLUMNS, cost, fitted, fold, joined, one_line, shorten

NOW = datetime(2026, 5, 3, 9, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a\n b\t c ", "a b c"), ("\u2028x\x00y", "x y"), ("a  b", "a b"), (" a ", "a"), ("", "")],
)
def test_text_from_outside_becomes_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_shortening_shows_that_something_is_missing() -> None:
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"


@given(st.text(max_size=300), st.integers(0, 80))
def test_no_text_takes_more_than_its_room(text: str, room: int) -> None:
    shown = fitted(text, room)
    assert len(shown) <= room
    assert cost(shown) <= 4 * room + cost("…")


def test_letters_of_other_scripts_take_their_room() -> None:
    assert fitted("字" * 26, 60) == "字" * 26
    assert fitted("字" * 27, 60).endswith("…")
    assert fitted("&" * 40, 40).endswith("…")


@given(st.text(alphabet="ab ", max_size=300), st.integers(0, 20))
def test_folding_changes_nothing_but_the_lines(text: str, indent: int) -> None:
    folded = fold(one_line(text), indent)
    assert folded.split() == text.split()
    words = [*map(len, text.split()), 0]
    assert max(map(len, folded.splitlines() or [""])) <= max(COLUMNS, indent + max(words))


@pytest.mark.parametrize(
    ("parts", "words"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_parts_are_joined_as_one_says_them(parts: list[str], words: str) -> None:
    assert joined(parts) == words


@pytest.mark.parametrize(
    ("distance", "words"),
    [
        (timedelta(seconds=59), "just now"), (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=25), "1 day ago"), (timedelta(days=61), "2 months ago"),
        (timedelta(days=800), "2 years ago"), (-timedelta(hours=1), "just now"),
    ],
)  # fmt: skip
def test_how_long_ago(distance: timedelta, words: str) -> None:
    assert ago(NOW - distance, NOW) == words


def test_the_exact_time_comes_first() -> None:
    assert when(NOW - timedelta(hours=2), NOW, "Europe/Berlin") == (
        "3 May 2026, 09:12 (Europe/Berlin), 2 hours ago"
    )
