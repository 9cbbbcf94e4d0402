"""What waits for a lane: only what was looked at lately may begin (R10, R12)."""

import time

import pytest

from integration_alerts.mail import waiting_emails
from integration_alerts.mail.outbox import Claimed
from integration_alerts.mail.waiting_emails import WaitingEmails


def emails(*numbers: int) -> list[Claimed]:
    return [Claimed(number, "", b"") for number in numbers]


def test_what_was_just_looked_at_may_begin_in_its_order() -> None:
    waiting = WaitingEmails()
    waiting.add(emails(1, 2), time.monotonic())
    assert [waiting.pop().id, waiting.pop().id] == [1, 2]
    assert len(waiting) == 0


def test_what_was_looked_at_too_long_ago_may_not_however_new_the_ones_before_it() -> None:
    waiting = WaitingEmails()
    waiting.add(emails(1), time.monotonic())
    waiting.add(emails(2), time.monotonic() - 10)
    assert (waiting.fresh, waiting.stale) == (1, 1)
    assert waiting.take_stale(5) == emails(2)


def test_a_look_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = WaitingEmails()
    waiting.add(emails(1, 2, 3), time.monotonic())
    monkeypatch.setattr(waiting_emails, "FRESH_SECONDS", -1.0)
    waiting.forget_old_looks()
    assert (waiting.fresh, waiting.stale) == (0, 3)
    assert waiting.take_stale(2) == emails(1, 2)


def test_what_grows_old_before_a_look_could_come_back_does_not_last() -> None:
    waiting = WaitingEmails()
    now = time.monotonic()
    waiting.add(emails(1, 2), now - 0.6 * waiting_emails.FRESH_SECONDS)
    waiting.add(emails(3), now + 60)
    assert waiting.fresh == 3
    assert (waiting.lasts(0), waiting.lasts(1), waiting.lasts(3)) == (True, False, False)


def test_what_was_not_looked_at_after_all_comes_first_again() -> None:
    waiting = WaitingEmails()
    waiting.add(emails(1, 2, 3), 0.0)
    waiting.put_back(waiting.take_stale(2))
    assert waiting.take_stale(9) == emails(1, 2, 3)


def test_all_of_them_are_taken_at_once() -> None:
    waiting = WaitingEmails()
    waiting.add(emails(1), 0.0)
    waiting.add(emails(2), time.monotonic())
    assert {email.id for email in waiting.take_all()} == {1, 2}
    assert len(waiting) == 0
