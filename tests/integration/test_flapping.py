"""Flapping integrations: one mail says so, further alerts are held back (SPEC R23)."""

from datetime import timedelta

import pytest
import time_machine
from tests.browsing import page, signed_in
from tests.world import World

from integration_alerts.alerts.models import Notice
from integration_alerts.mail.models import Email
from integration_alerts.rules.retry import Answer, Phase

pytestmark = pytest.mark.django_db


def outage(world: World, minutes: float = 10) -> list[str]:
    """Fail, work, and be active again after a while; returns Ada's mails."""
    world.report("failed")
    mails = world.work()
    world.pass_time(minutes=minutes)
    world.report("active")
    mails += world.work()
    world.pass_time(minutes=minutes)
    return [mail.partition(": ")[2] for mail in mails if mail.startswith("ada@")]


def alerts() -> list[str]:
    rows = Notice.objects.filter(step="alert").order_by("due_at")
    return [
        "flapping" if row.flapping and row.status != "held_back" else row.status for row in rows
    ]


def test_the_third_incident_within_a_day_is_told_as_flapping_and_further_ones_are_held_back(
    world: World,
) -> None:
    mails = [outage(world) for _ in range(5)]
    assert [len(each) for each in mails] == [1, 1, 1, 0, 0]
    assert alerts() == ["composed", "composed", "flapping", "held_back", "held_back"]
    assert world.integration().flapping_since is not None


def test_reminders_are_not_held_back(world: World) -> None:
    for _ in range(4):
        outage(world)
    world.report("failed")
    assert world.work() == []
    reminded = [mail for mail in world.live(days=8) if mail.startswith("ada@")]
    assert len(reminded) == 1
    assert "after 7 days" in reminded[0]


def test_after_a_quiet_day_alerts_come_as_before(world: World) -> None:
    for _ in range(4):
        outage(world)
    world.pass_time(hours=24)
    assert len(outage(world)) == 1
    assert alerts()[-1] == "composed"


def test_an_incident_that_closes_before_its_mail_leaves_the_word_to_the_next(world: World) -> None:
    outage(world)
    outage(world)
    world.group(wait=30, interval=0)
    assert outage(world, minutes=0.2) == []  # the third: over before its mail goes
    world.group(wait=0, interval=0)
    assert len(outage(world)) == 1
    assert outage(world) == []
    assert alerts() == ["composed", "composed", "flapping", "flapping", "held_back"]


def test_nobody_is_told_twice_because_another_was_missed(world: World) -> None:
    told = []
    for number in range(6):
        world.report("failed")
        world.plan()
        if number < 5:  # the mail server of Max is away
            Email.objects.filter(member=world.member("max"), status="queued").update(
                next_attempt_at=world.now + timedelta(hours=1)
            )
        world.deliver()
        told += [to.partition("@")[0] for to, _ in world.mailer.sent]
        world.mailer.sent.clear()
        world.pass_time(minutes=10)
        world.report("active")
        world.plan()
        world.pass_time(minutes=10)
    assert told == ["ada"] * 3 + ["max"]
    assert [row.status for row in Notice.objects.filter(flapping=True)][-1] == "composed"


def test_once_those_who_were_missed_have_left_it_is_held_back(world: World) -> None:
    outage(world)
    outage(world)
    world.report("failed")
    world.plan()
    Email.objects.filter(member=world.member("max"), status="queued").update(
        next_attempt_at=world.now + timedelta(hours=1)
    )
    world.deliver()
    world.report("active")
    world.plan()
    world.subscription("max").delete()
    world.pass_time(minutes=10)
    assert outage(world) == []
    assert Notice.objects.filter(step="alert").latest("due_at").status == "held_back"


def test_a_mail_that_was_refused_for_good_has_said_nothing(world: World) -> None:
    outage(world)
    outage(world)
    world.mailer.answer = Answer(Phase.RECIPIENT, 550, "no such mailbox")
    outage(world)
    world.mailer.answer = Answer(Phase.ACCEPTANCE, 250, "ok")
    assert outage(world) == ["ads for North keeps failing"]
    assert outage(world) == []


def test_a_pending_integration_that_stays_so_for_a_day_is_told_plainly(world: World) -> None:
    for _ in range(4):
        outage(world)
    world.report("pending")
    mails = [mail for mail in world.live(hours=24) if mail.startswith("ada@")]
    assert len(mails) == 1
    assert alerts()[-1] == "composed"


def test_incidents_reported_in_one_batch_count_too(world: World) -> None:
    reports = []
    for _ in range(3):
        reports.append(world.a_report("failed"))
        world.pass_time(minutes=1)
        reports.append(world.a_report("active"))
        world.pass_time(minutes=1)
    world.take(*reports)
    assert world.integration().flapping_since is not None


def test_a_company_that_goes_off_and_on_does_not_flap(world: World) -> None:
    world.report("failed")
    for _ in range(4):
        for active in (False, True):
            line = {"type": "company", "account": "acme", "id": "north", "active": active}
            world.directory(line)
            world.work()
    assert alerts().count("flapping") == 0


def test_a_deleted_integration_begins_anew(world: World) -> None:
    for _ in range(3):
        outage(world)
    line = {"type": "integration", "account": "acme", "company": "north", "id": "ads"}
    world.directory({**line, "deleted": True})
    world.pass_time(minutes=1)
    assert len(outage(world)) == 1
    assert alerts()[-1] == "composed"


def test_the_pages_show_it(world: World) -> None:
    for _ in range(4):
        outage(world)
    world.report("failed")
    world.work()
    with time_machine.travel(world.now, tick=False):
        browser = signed_in(world.member("ada"))
        home = page(browser, world)
        detail = page(browser, world, f"integrations/{world.integration().pk}")
    assert ">flapping<" in home
    assert "Further alerts are held back" in detail
    assert "Mail that it is flapping" in detail
    assert "held back: it is flapping" in detail
