"""One good mail instead of many: notices that go together (SPEC R12, R15, R22)."""

import pytest
from tests.world import World

from integration_alerts.directory.models import Assignment
from integration_alerts.integrations.models import Integration
from integration_alerts.mail.models import Email, EmailNotice
from integration_alerts.rules.retry import Answer, Phase

pytestmark = pytest.mark.django_db

SILENCE = Answer(Phase.ACCEPTANCE, None, "no answer")
LATER = Answer(Phase.RECIPIENT, 451, "try later")


@pytest.fixture
def grouping(world: World) -> World:
    """Acme with the usual waiting times."""
    world.group(wait=30, interval=300)
    return world


def fail(world: World, *names: str, company: str = "north") -> None:
    for name in names:
        world.report("failed", name, company=company)
    world.plan()


def told(world: World, member: str) -> list[list[str]]:
    """The integrations in each mail that was sent to a member, the first mail first."""
    mails = Email.objects.filter(member=world.member(member), status="sent").order_by("date", "id")
    return [
        sorted(
            item.notice.incident.integration.external_id
            for item in EmailNotice.objects.filter(email=mail, released=False)
        )
        for mail in mails
    ]


def test_the_first_notice_waits_for_others(grouping: World) -> None:
    fail(grouping, "ads")
    grouping.pass_time(seconds=29)
    fail(grouping, "crm")
    assert grouping.work() == []
    grouping.pass_time(seconds=1)
    grouping.work()
    assert told(grouping, "max") == told(grouping, "ada") == [["ads", "crm"]]


def test_later_ones_go_together_at_the_interval(grouping: World) -> None:
    fail(grouping, "ads")
    grouping.pass_time(seconds=30)
    grouping.work()
    for name in ("crm", "shop"):
        grouping.pass_time(seconds=100)
        fail(grouping, name)
    assert grouping.work() == []
    grouping.pass_time(seconds=100)
    grouping.work()
    assert told(grouping, "max") == [["ads"], ["crm", "shop"]]


def test_after_a_silence_the_wait_begins_anew(grouping: World) -> None:
    fail(grouping, "ads")
    grouping.live(hours=2)
    fail(grouping, "crm")
    assert grouping.work() == []
    grouping.pass_time(seconds=30)
    assert len(grouping.work()) == 2


def test_with_zero_it_goes_at_once(world: World) -> None:
    fail(world, "ads")
    assert len(world.work()) == 2
    fail(world, "crm")
    assert len(world.work()) == 2


def test_a_mail_holds_only_what_its_recipient_may_see(grouping: World) -> None:
    fail(grouping, "ads")
    fail(grouping, "secret", company="south")
    grouping.pass_time(seconds=30)
    grouping.work()
    assert told(grouping, "ada") == [["ads", "secret"]]
    assert told(grouping, "max") == [["ads"]]
    assert not any(b"South" in mail for to, mail in grouping.mailer.sent if to.startswith("max"))


def test_who_closes_while_waiting_drops_out(grouping: World) -> None:
    fail(grouping, "ads", "crm")
    grouping.report("active", "crm")
    grouping.pass_time(seconds=30)
    grouping.work()
    assert told(grouping, "max") == [["ads"]]
    assert all(b"crm" not in mail for _, mail in grouping.mailer.sent)


def test_an_empty_group_sends_nothing(grouping: World) -> None:
    fail(grouping, "ads")
    grouping.report("active")
    grouping.plan()
    assert grouping.live(days=1) == []
    assert grouping.emails() == [
        "ada cancelled the integration is no longer in this state",
        "max cancelled the integration is no longer in this state",
    ]


def test_a_mail_that_was_not_sent_starts_no_interval(grouping: World) -> None:
    fail(grouping, "ads")
    grouping.report("active")
    grouping.plan()
    grouping.pass_time(seconds=60)
    fail(grouping, "crm")
    grouping.pass_time(seconds=30)
    assert len(grouping.work()) == 2


def test_what_closes_in_the_last_moment_is_left_out(grouping: World) -> None:
    fail(grouping, "ads", "crm")
    grouping.pass_time(seconds=30)
    grouping.report("active", "crm")  # nobody has planned this yet
    grouping.deliver()
    assert told(grouping, "max") == [["ads"]]
    assert all(b"crm" not in mail for _, mail in grouping.mailer.sent)


def test_one_that_comes_back_while_the_group_waits_is_told_once(grouping: World) -> None:
    fail(grouping, "ads", "crm")
    grouping.report("active", "crm")
    grouping.plan()
    grouping.pass_time(seconds=5)
    fail(grouping, "crm")
    grouping.pass_time(seconds=25)
    grouping.work()
    assert told(grouping, "max") == [["ads", "crm"]]


def test_a_company_lost_while_waiting_is_not_named(grouping: World) -> None:
    fail(grouping, "ads")
    fail(grouping, "shop", company="south")
    Assignment.objects.create(
        account=grouping.account(),
        member=grouping.member("max"),
        company=grouping.company("south"),
    )
    fail(grouping, "crm", company="south")
    Assignment.objects.filter(company=grouping.company("north")).delete()
    grouping.pass_time(seconds=30)
    grouping.work()
    assert told(grouping, "max") == [["crm"]]
    assert not any(b"North" in mail for to, mail in grouping.mailer.sent if to.startswith("max"))


def test_a_refused_group_is_tried_again_without_what_is_over(grouping: World) -> None:
    grouping.mailer.answer = LATER
    fail(grouping, "ads", "crm")
    grouping.pass_time(seconds=30)
    grouping.work()
    first = dict(grouping.mailer.sent)["max@acme.example"]
    grouping.report("active", "crm")
    grouping.mailer.answer = Answer(Phase.ACCEPTANCE, 250, "ok")
    grouping.pass_time(minutes=1)
    grouping.work()
    second = dict(grouping.mailer.sent)["max@acme.example"]
    assert b"crm" in first
    assert b"crm" not in second
    assert header(first, b"Message-ID") == header(second, b"Message-ID")
    assert header(first, b"Date") == header(second, b"Date")


def test_one_that_may_have_been_accepted_goes_again_byte_for_byte(grouping: World) -> None:
    grouping.mailer.answer = SILENCE
    fail(grouping, "ads", "crm")
    grouping.pass_time(seconds=30)
    grouping.work()
    grouping.report("active", "crm")
    grouping.mailer.answer = Answer(Phase.ACCEPTANCE, 250, "ok")
    grouping.pass_time(minutes=1)
    grouping.work()
    copies = [mail for to, mail in grouping.mailer.sent if to == "max@acme.example"]
    assert copies[0] == copies[-1]
    assert len(copies) == 2


def test_but_never_with_a_company_that_its_recipient_lost(grouping: World) -> None:
    fail(grouping, "ads")
    fail(grouping, "shop", company="south")
    Assignment.objects.create(
        account=grouping.account(),
        member=grouping.member("max"),
        company=grouping.company("south"),
    )
    fail(grouping, "crm", company="south")
    grouping.mailer.answer = SILENCE
    grouping.pass_time(seconds=30)
    grouping.work()
    Assignment.objects.filter(company=grouping.company("south")).delete()
    grouping.mailer.answer = Answer(Phase.ACCEPTANCE, 250, "ok")
    grouping.pass_time(minutes=1)
    grouping.work()
    last = [mail for to, mail in grouping.mailer.sent if to == "max@acme.example"][-1]
    assert b"North" in last
    assert b"South" not in last


def test_an_integration_that_moved_is_named_with_its_new_company_or_not_at_all(
    grouping: World,
) -> None:
    grouping.mailer.answer = LATER
    fail(grouping, "ads", "crm")
    grouping.pass_time(seconds=30)
    grouping.work()
    Integration.objects.filter(external_id="crm").update(company=grouping.company("south"))
    grouping.mailer.answer = Answer(Phase.ACCEPTANCE, 250, "ok")
    grouping.pass_time(minutes=1)
    grouping.work()
    last = dict(grouping.mailer.sent)
    assert b"South" in last["ada@acme.example"]
    assert b"crm" not in last["max@acme.example"]


def test_a_claimed_mail_takes_no_further_notices(grouping: World) -> None:
    grouping.mailer.answer = LATER
    fail(grouping, "ads")
    grouping.pass_time(seconds=30)
    grouping.work()
    fail(grouping, "crm")
    grouping.mailer.answer = Answer(Phase.ACCEPTANCE, 250, "ok")
    grouping.pass_time(minutes=1)
    grouping.work()
    assert told(grouping, "max") == [["ads"]]
    grouping.pass_time(minutes=4)
    grouping.work()
    assert told(grouping, "max") == [["ads"], ["crm"]]


def header(mail: bytes, name: bytes) -> bytes:
    return next(line for line in mail.split(b"\r\n") if line.startswith(name))
