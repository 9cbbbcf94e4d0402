"""The unsubscribe link of a mail: asks on GET, pauses on POST without cookies (R19, RFC 8058)."""

from email import message_from_bytes
from email.policy import default

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from tests.pages import address, alert, browser, give, member, text_of
from tests.world import STATIONERY, World

from integration_alerts.alerts import subscribing
from integration_alerts.mail.unsubscribing import read_token, unsubscribe_url

pytestmark = pytest.mark.django_db

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def link(who: str) -> str:
    """The path of the link in a member's mails."""
    return unsubscribe_url("", member(who).pk)


def strict_client() -> Client:
    """A mail provider: no cookies, and nothing forgives it a missing CSRF token."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def acme_with_alert(acme: World) -> World:
    give(acme, "max", "north")
    return acme


def test_opening_the_link_only_asks(acme_with_alert: World) -> None:
    response = strict_client().get(link("max"))
    said = text_of(response)
    assert "Max will get no more mail about the integrations of Acme Agency." in said
    assert response.content.decode().count("<button") == 1
    assert alert("max").paused_at is None


def test_the_page_says_no_more_than_who_and_which_account(acme_with_alert: World) -> None:
    for response in (Client().get(link("max")), Client().post(link("max"), ONE_CLICK)):
        body = response.content.decode()
        assert [word for word in ("max@", "North", "Ada", "Globex") if word in body] == []


@pytest.mark.parametrize("method", ["get", "head"])
def test_scanners_change_nothing(acme_with_alert: World, method: str) -> None:
    before = list(type(alert("max")).objects.values_list())
    for _ in range(2):
        assert getattr(strict_client(), method)(link("max")).status_code == 200
    assert list(type(alert("max")).objects.values_list()) == before


def test_a_post_that_is_no_one_click_only_asks(acme_with_alert: World) -> None:
    assert "Stop these mails?" in text_of(strict_client().post(link("max")))
    assert alert("max").paused_at is None


@pytest.mark.parametrize("times", [1, 3])
def test_a_mail_provider_unsubscribes_with_one_post(acme_with_alert: World, times: int) -> None:
    for _ in range(times):
        response = strict_client().post(
            link("max"),
            "List-Unsubscribe=One-Click",
            content_type="application/x-www-form-urlencoded",
        )
        assert (response.status_code, dict(response.cookies)) == (200, {})
    assert (alert("max").paused_at is not None, alert("max").unsubscribed_by_link) == (True, True)


def test_the_header_of_a_mail_is_what_a_provider_posts_to(acme_with_alert: World) -> None:
    acme_with_alert.report("failed")
    acme_with_alert.work()
    ((_, raw),) = acme_with_alert.mailer.sent
    mail = message_from_bytes(raw, policy=default)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    url = str(mail["List-Unsubscribe"]).strip("<>")
    strict_client().post(url.removeprefix(STATIONERY.public_url), ONE_CLICK)
    assert alert("max").unsubscribed_by_link


def test_a_provider_may_post_a_multipart_form(acme_with_alert: World) -> None:
    strict_client().post(link("max"), ONE_CLICK)
    assert alert("max").unsubscribed_by_link


def test_doing_it_again_keeps_the_first_time(acme_with_alert: World) -> None:
    subscribing.unsubscribe(alert("max"), acme_with_alert.now)
    said = text_of(strict_client().post(link("max"), ONE_CLICK))
    assert "Unsubscribed" in said
    assert alert("max").paused_at == acme_with_alert.now


def test_no_mail_begins_afterwards_and_the_others_get_theirs(acme_with_alert: World) -> None:
    give(acme_with_alert, "ada")
    acme_with_alert.report("failed")
    acme_with_alert.plan()
    strict_client().post(link("max"), ONE_CLICK)
    acme_with_alert.deliver()
    assert [to for to, _ in acme_with_alert.mailer.sent] == ["ada@acme.example"]


def test_it_says_how_to_resume_and_only_the_recipient_can(acme_with_alert: World) -> None:
    response = strict_client().post(link("max"), ONE_CLICK)
    assert "sign in as Max, open your alert and choose Resume" in text_of(response)
    assert f'href="{address()}"' in response.content.decode()
    resume = address(f"/{alert('max').pk}/resume")
    assert "Only they can resume" in text_of(browser("ada").post(resume, follow=True))
    assert "Resumed." in text_of(browser("max").post(resume, follow=True))


def test_a_link_that_was_used_says_so_when_it_is_opened_again(acme_with_alert: World) -> None:
    strict_client().post(link("max"), ONE_CLICK)
    assert "gets no more mail" in text_of(strict_client().get(link("max")))


def test_an_alert_that_is_gone_is_said_to_be(acme_with_alert: World) -> None:
    path = link("max")
    subscribing.delete(alert("max"))
    for response in (strict_client().get(path), strict_client().post(path, ONE_CLICK)):
        assert response.status_code == 200
        assert "There is no alert any more" in text_of(response)


@pytest.mark.parametrize("token", ["1", "1.x", "x.y", "-", "%00", "1" * 400])
def test_a_forged_link_does_not_work(acme_with_alert: World, token: str) -> None:
    response = strict_client().post(f"/unsubscribe/{token}", ONE_CLICK)
    assert response.status_code == 404
    assert "This link does not work" in text_of(response)


def test_the_link_of_one_member_says_nothing_about_another(acme_with_alert: World) -> None:
    mine = link("max").rpartition("/")[2]
    forged = f"{member('ivy').pk}.{mine.partition('.')[2]}"
    assert read_token(forged) is None


def test_a_link_never_expires_and_needs_no_escaping() -> None:
    url = unsubscribe_url("https://alerts.example", 42)
    assert read_token(url.removeprefix("https://alerts.example/unsubscribe/")) == 42
    assert not set(url) & set("%:+= <>\"'") - {":"}


def test_queries(acme_with_alert: World, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client, path = strict_client(), link("max")
    with django_assert_num_queries(1):
        client.get(path)
    with django_assert_num_queries(5):  # and a savepoint around the lock and the update
        client.post(path, ONE_CLICK)
