"""Every kind of mail, compared with its golden files: what changes is seen, and seen by people."""

from typing import Any

import pytest
from msgspec.structs import replace
from tests.golden_mails import FOLDER, HINT, envelope, files, largest, letters, message

from integration_alerts.mail.rendering import MOST_BYTES, render
from integration_alerts.mail.samples import letter
from integration_alerts.rules.states import State


@pytest.mark.parametrize("name", letters())
def test_a_mail_is_as_it_was_last_looked_at(name: str) -> None:
    for file, words in files(name).items():
        golden = FOLDER / file
        assert golden.is_file(), HINT
        assert words == golden.read_text(), HINT


def test_no_golden_file_is_left_of_a_mail_that_is_gone() -> None:
    known = {file for name in letters() for file in files(name)}
    assert {path.name for path in FOLDER.iterdir()} == known, HINT


@pytest.mark.parametrize("name", letters())
def test_the_same_letter_gives_the_same_bytes(name: str) -> None:
    assert render(*letters()[name]) == message(name)


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"flapping": True, "reason_code": "429"},
        {"state": State.PENDING, "reason_code": "429"},
        {"state": State.PENDING, "fix_url": "https://app.example/" + "x" * 100},
    ],
)
def test_the_largest_mail_stays_below_what_mail_programs_cut_off(more: dict[str, Any]) -> None:
    raw = render(largest(**more), envelope())
    assert len(raw) < MOST_BYTES
    assert raw.count(b"Open it") == 100  # 50 lines in each part


def test_the_largest_mail_about_causes_is_no_larger() -> None:
    shared = [
        replace(each, item=replace(each.item, connection=str(each.item.notice // 2)))
        for each in largest().notices.values()
    ]
    assert len(render(letter(*shared), envelope())) < MOST_BYTES
