"""What the pages say of an address that mail came back from, and who may have it mailed again."""

import re

import pytest
from pytest_django import DjangoAssertNumQueries
from tests.bouncing import returned, signed
from tests.pages import account, address, alert, browser, give, member, text_of
from tests.world import World

from integration_alerts.directory.models import Suppression
from integration_alerts.mail import bounces
from integration_alerts.mail.models import Email

pytestmark = pytest.mark.django_db


def came_back(world: World, who: str, sample: str = "postfix-unknown-user") -> Email:
    """A mail to somebody came back, a moment ago by the clock of the pages."""
    world.report("failed", company="south")
    world.work()
    email = Email.objects.get(member=member(who))
    taken = bounces.take_message(returned(sample, signed(email)), "", world.now)
    assert taken.result == "recorded"
    return email


@pytest.fixture
def told(acme: World, time_machine_at: None) -> World:
    """Ada, Max and Pia have alerts."""
    give(acme, "ada")
    give(acme, "max", "north", "south")
    give(acme, "pia", "south")
    return acme


@pytest.fixture
def time_machine_at(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages read the world's clock."""
    monkeypatch.setattr("integration_alerts.engine.clock.now", lambda: acme.now)


def again(who: str) -> str:
    return address(f"/{alert(who).pk}/mail-again")


def test_the_list_says_that_mail_came_back_and_why(told: World) -> None:
    came_back(told, "max")
    said = text_of(browser("ada").get(address()))
    assert "Max max@acme.example North Bakery and South Hotel by the platform not receiving" in said
    assert re.search(r"Mail came back just now \(.+?\) : the mailbox does not exist\.", said)
    assert said.count("not receiving") == 1


def test_the_alert_says_it_and_offers_to_mail_again(told: World) -> None:
    came_back(told, "max")
    said = text_of(browser("ada").get(address(f"/{alert('max').pk}")))
    assert "Mail to max@acme.example came back" in said
    assert "With a new address, Max gets mail again by itself." in said
    assert "Mail to this address again" in said


def test_the_recipient_is_shown_where_to_change_the_address(told: World) -> None:
    came_back(told, "max")
    page = browser("max").get(address(f"/{alert('max').pk}"))
    assert "Change your address , and mail goes there by itself." in text_of(page)


def test_the_recipient_reads_it_on_the_notifications_page(told: World) -> None:
    came_back(told, "max")
    page = browser("max").get(f"/accounts/{account()}/notifications")
    assert "You get no mail at present. Mail to max@acme.example came back" in text_of(page)


def test_mail_goes_out_again_after_the_button(told: World) -> None:
    came_back(told, "max")
    said = text_of(browser("ada").post(again("max"), follow=True))
    assert "Mail to max@acme.example goes out again." in said
    assert "came back" not in said
    row = Suppression.objects.get()
    assert (row.lifted_at, row.lifted_by) == (told.now, member("ada"))
    told.pass_time(minutes=10)
    told.report("failed", "crm")
    assert any(line.startswith("max@acme.example") for line in told.work())


def test_pressing_it_twice_changes_nothing_more(told: World) -> None:
    came_back(told, "max")
    client = browser("ada")
    client.post(again("max"))
    assert client.post(again("max"), follow=True).status_code == 200
    assert Suppression.objects.count() == 1


def test_opening_the_address_of_the_button_changes_nothing(told: World) -> None:
    came_back(told, "max")
    browser("ada").get(again("max"))
    assert Suppression.objects.get().lifted_at is None


def test_whoever_may_pause_the_alert_may_lift_it_and_nobody_else(told: World) -> None:
    came_back(told, "max")
    # Max's alert covers North, which is not Pia's.
    said = text_of(browser("pia").post(again("max"), follow=True))
    assert "This alert covers companies that you have no access to." in said
    assert Suppression.objects.get().lifted_at is None
    assert "Mail to this address again" not in said


def test_after_a_complaint_only_the_recipient_can_lift_it(told: World) -> None:
    came_back(told, "max", "complaint")
    said = text_of(browser("ada").post(again("max"), follow=True))
    assert "Mail to max@acme.example was stopped" in said
    assert "The recipient reported a mail as spam. Only they can have mail sent" in said
    assert "Mail to this address again" not in said
    said = text_of(browser("max").post(again("max"), follow=True))
    assert "Mail to max@acme.example goes out again." in said


def test_a_paused_alert_stays_paused_and_says_both(told: World) -> None:
    came_back(told, "max")
    browser("max").post(address(f"/{alert('max').pk}/pause"))
    said = text_of(browser("max").get(address(f"/{alert('max').pk}")))
    assert "paused" in said
    assert "Mail to max@acme.example came back" in said


def test_with_a_new_address_nothing_is_said_any_more(told: World) -> None:
    came_back(told, "max")
    told.directory({"type": "user", "account": "acme", "id": "max", "email": "max@new.example"})
    said = text_of(browser("ada").get(address()))
    assert "came back" not in said
    assert "not receiving" not in said


def test_the_page_of_the_mail_has_the_servers_words(told: World) -> None:
    email = came_back(told, "max")
    said = text_of(browser("ada").get(f"/accounts/{account()}/emails/{email.pk}"))
    assert "Status came back: the mailbox does not exist (550 5.1.1 &lt;max@acme.example" in said
    assert "The mail came back from max@acme.example with the code 5.1.1" in said
    assert "User unknown in virtual mailbox table”" in said


def test_the_page_of_a_mail_that_was_called_spam_says_so(told: World) -> None:
    email = came_back(told, "max", "complaint")
    said = text_of(browser("ada").get(f"/accounts/{account()}/emails/{email.pk}"))
    assert "Status sent" in said
    assert "The recipient reported this mail as spam" in said


@pytest.mark.parametrize("bounced", [0, 1, 3])
def test_the_list_costs_the_same_however_many_came_back(
    told: World, bounced: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for who in ("ada", "max", "pia")[:bounced]:
        Suppression.objects.create(
            account=member(who).account, member=member(who), address=member(who).email,
            kind="hard", reason="the mailbox does not exist", since=told.now,
        )  # fmt: skip
    client = browser("ann")
    client.get(address())
    with django_assert_num_queries(13):
        client.get(address())
