"""What a mail tells whom, fetched from the database (SPEC R15, R22, and the permission table)."""

import dataclasses
import time
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests import pages
from tests.world import STATIONERY, World

from integration_alerts.directory.models import Account
from integration_alerts.integrations.models import Integration
from integration_alerts.mail.models import Email, EmailNotice, EmailStatus
from integration_alerts.mail.rendering import MOST_BYTES
from integration_alerts.mail.writing import Draft, Stationery, Unwritable, Written, write_all

pytestmark = pytest.mark.django_db
COMPANIES = ("north", "south", "harbour")


def fail(world: World, company: str, *integrations: str, **more: Any) -> None:
    """Let integrations of a company fail, each with its own name."""
    world.take(*(
        world.a_report("failed", each, company=company, name=each.title(), **more)
        for each in integrations
    ))  # fmt: skip


def draft(email: Email) -> Draft:
    """An email as `outbox` lets it be written."""
    address = f"{email.member.external_id}@acme.example"
    return Draft(email.pk, email.account_id, email.member_id, email.message_id, email.date, address)


def write(email: Email, stationery: Stationery = STATIONERY) -> Written:
    """Write one that can be written."""
    written = write_all([draft(email)], stationery)[email.pk]
    assert isinstance(written, Written)
    return written


def latest(member: str) -> Email:
    """The latest email to a member."""
    return Email.objects.filter(member=pages.member(member)).latest("id")


def mail_to(member: str) -> EmailMessage:
    """The latest mail to a member, written now."""
    raw = write(latest(member)).message
    return cast("EmailMessage", message_from_bytes(raw, policy=default))


def text_to(member: str) -> str:
    """The text of that mail, in one line."""
    body = mail_to(member).get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def statements(email: Email) -> int:
    """How many statements writing a mail takes."""
    about = draft(email)
    with CaptureQueriesContext(connection) as queries:
        write_all([about], STATIONERY)
    return len(queries)


def group(world: World) -> None:
    """Let what comes now wait for others."""
    world.group(wait=30, interval=300)


def test_others_who_were_told_are_named_as_far_as_the_reader_may_know_them(acme: World) -> None:
    for name in ("ada", "ann", "max", "ivy", "pia"):
        pages.give(acme, name)
    fail(acme, "south", "ads")
    acme.plan()
    # To a Manager, Administrators are no names; Ivy and Pia share South with Max.
    assert "Also told: Ivy, Pia and 2 others" in text_to("max")
    assert "Also told: Ann, Ivy and 2 others" in text_to("ada")


def test_managers_who_share_no_other_company_know_each_other_by_this_one(acme: World) -> None:
    pages.give(acme, "sam")
    pages.give(acme, "ada")
    fail(acme, "harbour", "ads")
    acme.plan()
    assert "Also told: 1 other person" in text_to("sam")
    assert "Also told: Stranger Sam" in text_to("ada")


def test_nobody_else_is_said_too(acme: World) -> None:
    pages.give(acme, "sam")
    fail(acme, "harbour", "ads")
    acme.plan()
    assert "Also told: nobody else" in text_to("sam")


def test_a_sign_in_that_broke_several_is_one_cause_with_who_connected_it(acme: World) -> None:
    group(acme)
    pages.give(acme, "ada")
    pages.give(acme, "max")
    # Ivy connected it, and Ann reported something else later.
    for company in ("north", "south"):
        acme.report("active", f"{company}-ads", company=company, actor="ivy", connection="g-1")
    acme.pass_time(hours=1)
    for company in ("north", "south"):
        fail(acme, company, f"{company}-ads", connection="g-1", provider="Google", actor="ann",
             fix_url="https://app.example/reconnect")  # fmt: skip
    acme.plan()
    words = "One sign-in (Google, connected by Ivy) broke 2 integrations in 2 companies"
    assert words in text_to("ada")
    assert words in text_to("max")
    assert "Reconnect once: https://app.example/reconnect" in text_to("max")
    assert mail_to("max")["Subject"] == "One sign-in broke 2 integrations in 2 companies"


def test_who_connected_it_is_left_out_where_the_reader_may_not_know_them(acme: World) -> None:
    group(acme)
    pages.give(acme, "max")
    for name in ("ads", "feed"):
        acme.report("active", name, actor="sam", connection="g-1")
        acme.report("active", f"{name}-2", actor="who-knows", connection="g-2")
    acme.pass_time(hours=1)
    fail(acme, "north", "ads", "feed", "ads-2", "feed-2")
    acme.plan()
    text = text_to("max")
    assert text.count("One sign-in broke 2 integrations of North Bakery") == 2
    assert "connected by" not in text


def test_a_mail_names_no_company_but_those_of_its_items(acme: World) -> None:
    group(acme)
    for name in ("ada", "max"):
        pages.give(acme, name)
    for company in COMPANIES:
        fail(acme, company, f"{company}-ads", connection="g-1")
    acme.plan()
    assert "broke 3 integrations in 3 companies" in text_to("ada")
    assert "broke 2 integrations in 2 companies" in text_to("max")
    assert "Harbour" not in text_to("max")


def test_an_integration_that_moved_is_told_of_under_the_company_it_was_told_for(
    acme: World,
) -> None:
    pages.give(acme, "max")
    fail(acme, "north", "ads")
    acme.plan()
    Integration.objects.filter(external_id="ads").update(company=pages.company("harbour"))
    assert "North Bakery" in text_to("max")
    assert "Harbour" not in text_to("max")


def test_what_was_released_is_not_told(acme: World) -> None:
    group(acme)
    pages.give(acme, "max")
    fail(acme, "north", "ads", "feed")
    acme.plan()
    first = EmailNotice.objects.order_by("id").first()
    assert first is not None
    EmailNotice.objects.filter(pk=first.pk).update(released=True)
    name = first.notice.incident.integration.name
    assert name not in text_to("max")


def test_a_mail_of_which_nothing_is_left_cannot_be_written(acme: World) -> None:
    pages.give(acme, "max")
    fail(acme, "north", "ads")
    acme.plan()
    EmailNotice.objects.update(released=True)
    email = latest("max")
    written = write_all([draft(email)], STATIONERY)
    assert written == {email.pk: Unwritable("there is nothing left to tell in it")}


def test_a_reminder_is_in_the_thread_of_its_incident(world: World) -> None:
    world.report("failed")
    world.work()
    world.pass_time(days=7, hours=1)
    world.plan()
    (first,) = Email.objects.filter(member=world.member("ada"), status=EmailStatus.SENT.value)
    mail = mail_to("ada")
    assert mail["In-Reply-To"] == first.message_id
    assert mail["References"] == first.message_id
    assert Email.objects.exclude(member=world.member("ada")).first().message_id not in str(mail)  # type: ignore[union-attr]


def test_the_mails_of_other_incidents_are_other_threads(world: World) -> None:
    world.report("failed")
    world.work()
    world.report("failed", "feed")
    world.plan()
    assert mail_to("ada")["In-Reply-To"] is None


def test_an_account_may_brand_its_mails(world: World) -> None:
    Account.objects.update(
        brand_name="Lantern", logo_url="https://lantern.example/logo.png",
        brand_colour="#ffb000", reply_to="help@lantern.example",
    )  # fmt: skip
    world.report("failed", fix_url="https://app.example/reconnect")
    world.plan()
    mail = mail_to("ada")
    assert mail["From"] == "Lantern <alerts@platform.example>"
    assert mail["Reply-To"] == "Lantern <help@lantern.example>"
    html = mail.get_body(("html",))
    assert html is not None
    assert "https://lantern.example/logo.png" in html.get_content()
    assert "background:#ffb000" in html.get_content()


def test_links_lead_to_the_pages_of_the_account(world: World) -> None:
    world.report("failed")
    world.plan()
    text = text_to("ada")
    base = f"https://alerts.example/accounts/{world.account().pk}"
    assert f"{base}/integrations/{world.integration().pk}" in text
    assert f"{base}/alerts" in text
    assert mail_to("ada")["List-Unsubscribe"].startswith("<https://alerts.example/unsubscribe/")


def test_a_message_is_signed_when_it_is_finished(world: World) -> None:
    world.report("failed")
    world.plan()
    signing = dataclasses.replace(STATIONERY, sign=lambda raw: b"DKIM-Signature: x\r\n" + raw)
    email = Email.objects.latest("id")
    plain = write(email).message
    assert write(email, signing).message == b"DKIM-Signature: x\r\n" + plain


def test_how_long_ago_is_reckoned_from_the_mails_date(world: World) -> None:
    world.report("failed")
    world.plan()
    email = Email.objects.latest("id")
    email.date = world.now + timedelta(hours=3)
    body = write(email).message
    assert b"2 March 2026, 10:00 (Europe/Berlin), 3 hours ago" in body


@pytest.mark.parametrize("count", [1, 300])
def test_a_mail_costs_the_same_statements_for_any_number_of_notices(
    world: World, count: int
) -> None:
    group(world)
    fail(world, "north", *(f"feed {number}" for number in range(count)))
    world.plan()
    assert statements(Email.objects.get(member=world.member("ada"))) == 6


def test_a_cause_costs_two_statements_more(world: World) -> None:
    group(world)
    fail(world, "north", *(f"feed {number}" for number in range(40)), connection="g")
    fail(world, "south", *(f"shop {number}" for number in range(40)), connection="h")
    world.plan()
    assert statements(Email.objects.get(member=world.member("ada"))) == 8


def test_a_mail_about_very_many_is_small_and_quickly_written(world: World) -> None:
    group(world)
    for start in range(0, 6000, 1000):
        fail(world, "north", *(f"feed {number}" for number in range(start, start + 1000)),
             connection="g")  # fmt: skip
    for start in range(0, 4000, 1000):
        fail(world, "south", *(f"shop {number}" for number in range(start, start + 1000)))
    world.plan()
    email = Email.objects.filter(member=world.member("ada")).latest("id")
    begun = time.process_time()
    written = write(email)
    spent = time.process_time() - begun
    assert written.subject == "10,000 integrations in 2 companies need you"
    assert len(written.message) < MOST_BYTES
    assert b"and 3,952 more" in written.message
    assert spent < 2
