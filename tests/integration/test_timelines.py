"""Whole behaviours as timelines: reports come, time passes, mails go out (SPEC R2 to R10)."""

import pytest
from tests.world import World

pytestmark = pytest.mark.django_db

FAILED = ["ada@acme.example: ads for North stopped working",
          "max@acme.example: ads for North stopped working"]  # fmt: skip


def subjects(mails: list[str]) -> list[str]:
    return [mail.partition(": ")[2] for mail in mails if mail.startswith("ada@")]


def test_a_failure_is_told_at_once(world: World) -> None:
    world.report("failed")
    assert world.work() == FAILED


def test_reminders_come_after_7_14_and_21_days_and_then_there_is_silence(world: World) -> None:
    world.report("failed")
    world.work()
    assert subjects(world.live(days=60)) == [
        "ads for North is still broken after 7 days",
        "ads for North is still broken after 14 days",
        "Last reminder: ads for North is still broken",
    ]
    assert world.open_incidents() == 1


def test_pending_is_told_after_24_hours(world: World) -> None:
    world.report("pending")
    assert world.live(hours=23) == []
    assert subjects(world.live(hours=1)) == ["ads for North is not set up yet"]


def test_pending_reminders_count_from_the_state_not_from_the_first_mail(world: World) -> None:
    world.report("pending")
    world.live(hours=24)
    assert world.live(days=5, hours=23) == []
    assert subjects(world.live(hours=1)) == ["ads for North is still not set up after 7 days"]


def test_pending_that_is_finished_within_a_day_is_never_told(world: World) -> None:
    world.report("pending")
    world.live(hours=23)
    world.report("active")
    assert world.live(days=30) == []


def test_back_to_active_ends_it(world: World) -> None:
    world.report("failed")
    world.work()
    world.pass_time(days=3)
    world.report("active")
    assert world.live(days=30) == []
    assert world.open_incidents() == 0


def test_the_same_state_again_restarts_no_clock(world: World) -> None:
    world.report("failed")
    world.work()
    world.live(days=6)
    assert world.report("failed") == "unchanged"
    assert subjects(world.live(days=1)) == ["ads for North is still broken after 7 days"]


def test_a_new_incident_is_told_again(world: World) -> None:
    world.report("failed")
    world.work()
    world.report("active")
    world.pass_time(hours=1)
    world.report("failed")
    assert world.work() == FAILED


def test_each_state_of_an_incident_has_its_own_clock(world: World) -> None:
    world.report("pending")
    world.live(hours=20)
    world.report("failed")
    assert world.work() == FAILED
    assert subjects(world.live(days=7)) == ["ads for North is still broken after 7 days"]


def test_a_state_that_comes_back_is_not_told_twice_in_one_incident(world: World) -> None:
    world.report("failed")
    world.work()
    world.pass_time(hours=1)
    world.report("pending")
    world.live(hours=1)
    world.report("failed")
    assert world.work() == []
    assert subjects(world.live(days=7)) == ["ads for North is still broken after 7 days"]
    assert world.notices() == ["failed alert composed", "failed reminder_7 composed"]


def test_what_fell_due_together_is_one_mail_and_the_earlier_steps_are_superseded(
    world: World,
) -> None:
    world.report("failed")
    world.pass_time(days=15)
    assert subjects(world.work()) == ["ads for North is still broken after 14 days"]
    assert world.notices() == [
        "failed alert superseded",
        "failed reminder_7 superseded",
        "failed reminder_14 composed",
    ]


def test_planning_again_changes_nothing(world: World) -> None:
    world.report("failed")
    world.work()
    before = world.notices(), world.emails()
    world.plan()
    assert (world.notices(), world.emails()) == before


def test_a_state_that_ended_while_its_mail_was_queued_is_not_told(world: World) -> None:
    world.report("failed")
    world.plan()
    world.report("active")
    world.plan()
    assert world.emails() == [
        "ada cancelled the integration is no longer in this state",
        "max cancelled the integration is no longer in this state",
    ]
    assert world.notices() == ["failed alert withdrawn"]
    world.deliver()
    assert world.mailer.sent == []


def test_a_state_that_ends_while_a_mail_is_claimed_is_not_told(world: World) -> None:
    world.report("failed")
    world.plan()
    world.report("active")  # nobody has planned since: the check right before sending sees it
    world.deliver()
    assert world.mailer.sent == []
    assert [email.split()[1] for email in world.emails()] == ["cancelled", "cancelled"]


def test_an_end_that_delivering_finds_before_planning_lets_the_state_be_told_again(
    world: World,
) -> None:
    world.report("failed")
    world.plan()
    world.pass_time(minutes=1)
    world.report("pending")
    world.deliver()
    assert world.notices() == ["failed alert withdrawn"]
    world.pass_time(minutes=1)
    world.report("failed")
    assert world.work() == FAILED


def test_a_notice_that_told_nobody_is_told_when_its_state_comes_back(world: World) -> None:
    world.report("failed")
    world.plan()
    world.report("pending")
    world.plan()
    world.pass_time(minutes=1)
    world.report("failed")
    assert world.work() == FAILED


def test_superseded_steps_come_back_with_the_notice_that_told_nobody(world: World) -> None:
    world.report("failed")
    world.pass_time(days=8)
    world.plan()
    world.report("pending")
    world.plan()
    world.pass_time(minutes=1)
    world.report("failed")
    assert world.work() == FAILED


def test_whoever_was_told_is_not_told_again_when_others_were_not(world: World) -> None:
    world.directory({"type": "subscription", "account": "acme", "user": "max", "deleted": True})
    world.report("failed")
    world.work()
    world.report("pending")
    world.plan()
    world.directory({"type": "subscription", "account": "acme", "user": "max", "companies": "all"})
    world.pass_time(minutes=1)
    world.report("failed")
    assert world.work() == []  # the alert happened; the newcomer hears with the next reminder
    assert [mail.partition(":")[0] for mail in world.live(days=7)] == [
        "ada@acme.example", "max@acme.example",
    ]  # fmt: skip


def test_a_report_from_a_clock_slightly_ahead_is_told_at_once(world: World) -> None:
    report = world.a_report("failed")
    world.pass_time(minutes=-4)
    assert world.take(report)[0].outcome.result == "applied"
    assert world.work() == FAILED


def test_a_reminder_of_an_earlier_stay_is_not_sent_in_a_later_one(world: World) -> None:
    world.report("failed")
    world.work()
    world.live(days=6, hours=23)
    world.pass_time(hours=1)
    world.plan()  # the reminder is queued, the mail server is away
    there = world.a_report("pending")
    world.pass_time(minutes=1)
    world.take(there, world.a_report("failed"))
    assert world.work() == []
    assert subjects(world.live(days=7)) == ["ads for North is still broken after 7 days"]
