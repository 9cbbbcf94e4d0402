"""What follows from a returned mail: the email, the address, and who is believed."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.bouncing import returned, signed
from tests.world import World

from integration_alerts.directory import suppressions
from integration_alerts.directory.models import Suppression
from integration_alerts.mail import bounces, dsn
from integration_alerts.mail.bounces import Reason, Result, Taken
from integration_alerts.mail.models import Bounce, DeliveryAttempt, Email, EmailStatus
from integration_alerts.mail.return_path import return_path
from integration_alerts.rules.retry import Answer, Phase

pytestmark = pytest.mark.django_db

RECORDED, DUPLICATE = Taken(Result.RECORDED), Taken(Result.DUPLICATE)
MAX = {"type": "user", "account": "acme", "id": "max"}


def mailed(world: World, integration: str = "ads") -> Email:
    """A mail to Max that a server has accepted."""
    world.report("failed", integration)
    world.work()
    return Email.objects.filter(member=world.member("max")).latest("pk")


def comes_back(world: World, email: Email, sample: str = "postfix-unknown-user") -> Taken:
    """The mail comes back to its return path, now."""
    address = signed(email)
    return bounces.take_message(returned(sample, address), address, world.now)


def held_back() -> list[str]:
    rows = Suppression.objects.filter(lifted_at=None).order_by("pk")
    return [f"{row.address} {row.kind}: {row.reason}" for row in rows]


def told(world: World) -> set[str]:
    """Who is mailed about a new failure of North."""
    world.report("failed", f"integration-{world.now.timestamp()}")
    return {line.partition(":")[0] for line in world.work()}


def test_a_mailbox_that_does_not_exist_is_held_back_at_once(world: World) -> None:
    email = mailed(world)
    world.pass_time(minutes=1)
    assert comes_back(world, email) == RECORDED
    assert held_back() == ["max@acme.example hard: the mailbox does not exist"]
    email.refresh_from_db()
    assert (email.status, email.ended_at) == (EmailStatus.BOUNCED, world.now)
    assert email.outcome_reason.startswith("the mailbox does not exist (550 5.1.1 <max@acme")
    assert told(world) == {"ada@acme.example"}


def test_what_is_queued_when_the_address_is_held_back_is_cancelled_with_the_reason(
    world: World,
) -> None:
    email = mailed(world)
    world.pass_time(minutes=1)
    world.report("failed", "crm")
    world.plan()
    comes_back(world, email)
    world.deliver()
    assert "max cancelled mail to this address came back" in world.emails()


def test_three_soft_bounces_in_seven_days_hold_an_address_back(world: World) -> None:
    for number in range(3):
        assert held_back() == []
        email = mailed(world, f"ads-{number}")
        assert comes_back(world, email, "postfix-mailbox-full") == RECORDED
        world.pass_time(days=3)
    assert held_back() == ["max@acme.example soft: the mailbox is full (3 mails within 7 days)"]


def test_three_soft_bounces_over_eight_days_do_not(world: World) -> None:
    for number in range(3):
        email = mailed(world, f"ads-{number}")
        comes_back(world, email, "postfix-mailbox-full")
        world.pass_time(days=4)
    assert held_back() == []


def test_a_soft_bounce_ends_its_email_as_bounced(world: World) -> None:
    email = mailed(world)
    comes_back(world, email, "gmail-over-quota")
    email.refresh_from_db()
    assert email.status == EmailStatus.BOUNCED
    assert email.outcome_reason.startswith("the mailbox is full (552")


def test_the_same_mail_three_times_is_one_soft_bounce(world: World) -> None:
    email = mailed(world)
    answers = [comes_back(world, email, "postfix-mailbox-full") for _ in range(3)]
    assert answers == [RECORDED, DUPLICATE, DUPLICATE]
    assert (held_back(), Bounce.objects.count()) == ([], 1)


def test_a_replay_after_lifting_changes_nothing(world: World) -> None:
    email = mailed(world)
    comes_back(world, email)
    suppressions.lift(Suppression.objects.get(), world.now, world.member("max"))
    assert comes_back(world, email) == DUPLICATE
    assert held_back() == []


def test_a_complaint_holds_the_address_back_and_leaves_the_email_sent(world: World) -> None:
    email = mailed(world)
    assert comes_back(world, email, "complaint") == RECORDED
    email.refresh_from_db()
    assert email.status == EmailStatus.SENT
    assert held_back() == ["max@acme.example complaint: the recipient reported a mail as spam"]


def test_a_complaint_that_came_to_another_address_is_known_by_the_return_path_in_it(
    world: World,
) -> None:
    email = mailed(world)
    raw = returned("complaint", signed(email))
    assert bounces.take_message(raw, "abuse@platform.example", world.now) == RECORDED


def test_a_complaint_weighs_more_than_a_bounce_before_it(world: World) -> None:
    email = mailed(world)
    comes_back(world, email)
    comes_back(world, email, "complaint")
    assert held_back() == ["max@acme.example complaint: the recipient reported a mail as spam"]


@pytest.mark.parametrize(
    "address",
    [
        "bounces@alerts.example",
        "bounces+{id}@alerts.example",
        "bounces+{id}-aaaaaaaaaaaaaaaaaaaa@alerts.example",
        "bounces+{other}@alerts.example",
        "",
    ],
)
def test_a_forged_report_is_ignored(world: World, address: str) -> None:
    email = mailed(world)
    # The signature of another email proves nothing about this one.
    other = f"{email.pk}-{return_path(email.pk + 1, 'b@x.example')[2:].split('-')[1][:20]}"
    forged = address.format(id=email.pk, other=other)
    taken = bounces.take_message(returned("postfix-unknown-user", forged), forged, world.now)
    assert taken == Taken(Result.IGNORED, Reason.UNSIGNED)
    assert (held_back(), Bounce.objects.count()) == ([], 0)


def test_an_address_whose_case_a_server_has_changed_is_still_known(world: World) -> None:
    email = mailed(world)
    raw = returned("postfix-unknown-user", signed(email))
    assert bounces.take_message(raw, signed(email).upper(), world.now) == RECORDED


@pytest.mark.parametrize(
    ("sample", "reason"),
    [
        ("postfix-delayed", dsn.NoBounce.NOT_FAILED),
        ("postfix-delivered", dsn.NoBounce.NOT_FAILED),
        ("out-of-office", dsn.NoBounce.NO_REPORT),
    ],
)
def test_news_that_is_no_failure_is_ignored(world: World, sample: str, reason: str) -> None:
    email = mailed(world)
    assert comes_back(world, email, sample) == Taken(Result.IGNORED, reason)
    assert Bounce.objects.count() == 0


def test_a_mail_that_no_server_ever_had_cannot_come_back(world: World) -> None:
    world.report("failed")
    world.plan()
    email = Email.objects.get(member=world.member("max"))
    assert comes_back(world, email) == Taken(Result.IGNORED, Reason.NOT_SENT)


def test_an_email_that_is_gone_is_said_to_be(world: World) -> None:
    email = Email(pk=10**12)
    assert comes_back(world, email) == Taken(Result.IGNORED, Reason.NO_EMAIL)


def test_a_report_that_is_quicker_than_our_own_note_is_asked_for_again(world: World) -> None:
    email = mailed(world)
    DeliveryAttempt.objects.all().delete()
    Email.objects.filter(pk=email.pk).update(
        status=EmailStatus.SENDING, claimed_by=world.worker, ended_at=None
    )
    with pytest.raises(bounces.StillSending):
        comes_back(world, email)


def test_silence_after_the_final_dot_may_have_been_an_acceptance(world: World) -> None:
    world.mailer.answer = Answer(Phase.ACCEPTANCE, None, "no answer")
    email = mailed(world)
    assert email.status == EmailStatus.QUEUED
    assert comes_back(world, email) == RECORDED
    world.pass_time(days=1)
    assert {line[:4] for line in world.work()} == {"ada@"}
    email.refresh_from_db()
    assert email.status == EmailStatus.BOUNCED


def test_a_report_after_thirty_days_is_stale(world: World) -> None:
    email = mailed(world)
    world.pass_time(days=30, seconds=1)
    assert comes_back(world, email) == Taken(Result.IGNORED, Reason.STALE)


def test_a_member_with_a_new_address_gets_mail_again_by_itself(world: World) -> None:
    comes_back(world, mailed(world))
    assert told(world) == {"ada@acme.example"}
    world.pass_time(minutes=10)
    world.directory({**MAX, "email": "max@new.example"})
    assert told(world) == {"ada@acme.example", "max@new.example"}


def test_a_bounce_about_a_former_address_holds_nothing_current_back(world: World) -> None:
    email = mailed(world)
    world.directory({**MAX, "email": "max@new.example"})
    assert comes_back(world, email) == RECORDED
    world.pass_time(minutes=10)
    assert "max@new.example" in told(world)


def test_a_lifted_address_gets_mail_again(world: World) -> None:
    comes_back(world, mailed(world))
    world.pass_time(minutes=10)
    assert suppressions.lift(Suppression.objects.get(), world.now, world.member("ada"))
    assert "max@acme.example" in told(world)
    assert not suppressions.lift(Suppression.objects.get(), world.now, None)


def test_a_late_report_about_a_mail_from_before_the_lifting_does_not_hold_back_again(
    world: World,
) -> None:
    first, second = mailed(world, "ads-1"), mailed(world, "ads-2")
    comes_back(world, first)
    world.pass_time(minutes=10)
    suppressions.lift(Suppression.objects.get(), world.now, None)
    assert comes_back(world, second) == RECORDED
    assert held_back() == []


def test_soft_bounces_from_before_the_lifting_do_not_count_any_more(world: World) -> None:
    for number in range(3):
        comes_back(world, mailed(world, f"ads-{number}"), "postfix-mailbox-full")
    world.pass_time(minutes=10)
    suppressions.lift(Suppression.objects.get(), world.now, None)
    world.pass_time(minutes=10)
    comes_back(world, mailed(world, "crm"), "postfix-mailbox-full")
    assert held_back() == []


def test_a_bounce_of_one_member_says_nothing_of_others(world: World) -> None:
    comes_back(world, mailed(world))
    assert "ada@acme.example" in told(world)


def test_a_report_is_taken_with_few_statements(world: World) -> None:
    email = mailed(world)
    report = dsn.returned("5.1.1", "550 5.1.1 no such user", "dsn")
    with CaptureQueriesContext(connection) as queries:
        bounces.take(report, email.pk, world.now)
    assert len(queries) <= 14, [query["sql"] for query in queries]


def test_what_the_server_said_is_kept(world: World) -> None:
    comes_back(world, mailed(world))
    row = Bounce.objects.get()
    assert (row.status, row.source, row.address) == ("5.1.1", "dsn", "max@acme.example")
    assert row.diagnostic.startswith("550 5.1.1 <max@acme.example>: Recipient address rejected")
    assert row.received_at == world.now
