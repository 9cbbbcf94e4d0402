"""What is on every page: account icon and panel, account switch, time zone, policy."""

import re

import pytest
from django.test import Client
from tests import pages
from tests.pages import account, browser, give, member, text_of
from tests.world import World

pytestmark = pytest.mark.django_db


def home(of: str = "acme") -> str:
    """The first page of an account."""
    return f"/accounts/{account(of)}/"


def test_the_account_icon_is_the_first_thing_on_a_page(acme: World) -> None:
    body = browser("max").get(home()).content.decode()
    header = body[body.index("<header") : body.index("</header>")]
    first = re.search(r"<(button|a)\b[^>]*>", header)
    assert first is not None
    assert 'aria-label="Account"' in first[0]
    assert 'popovertarget="my-account"' in first[0]


def test_the_panel_says_who_one_is_and_leads_on(acme: World) -> None:
    said = text_of(browser("max").get(home()))
    assert "My Account Max Manager in Acme Agency" in said
    for entry in ("Notifications", "Your address", "Sign-in &amp; security", "Sign out"):
        assert entry in said
    assert "Switch account" not in said


def test_a_user_of_two_accounts_switches_and_nothing_crosses(acme: World) -> None:
    gus = member("gus")
    client = browser("max")
    gus.user = member("max").user
    gus.save(update_fields=["user"])
    give(acme, "max", "north")
    said = text_of(client.get(home()))
    assert "Switch account Acme Agency open now Globex Secret Group" in said
    other = client.get(home("globex"))
    assert "Gus of Globex Administrator in Globex Secret Group" in text_of(other)
    assert "North Bakery" not in other.content.decode()
    assert (
        client.get(f"/accounts/{account('globex')}/alerts/{pages.alert('max').pk}").status_code
        == 404
    )


def test_the_start_leads_to_the_account_looked_at_last(acme: World) -> None:
    gus = member("gus")
    client = browser("max")
    gus.user = member("max").user
    gus.save(update_fields=["user"])
    assert client.get("/")["Location"] == home()
    client.get(home("globex"))
    assert client.get("/")["Location"] == home("globex")
    assert client.get("/alerts")["Location"] == f"/accounts/{account('globex')}/alerts"


def test_the_links_of_mails_ask_strangers_to_sign_in_first(acme: World) -> None:
    assert Client().get("/alerts")["Location"] == "/sign-in/login/?next=/alerts"


def test_a_user_without_a_membership_is_told_so(acme: World) -> None:
    client = browser("max")
    acme.directory({"type": "user", "account": "acme", "id": "max", "active": False})
    assert "no account of the platform has you as an active user" in text_of(client.get("/"))
    assert client.get("/alerts")["Location"] == "/"


@pytest.mark.parametrize(
    ("cookie", "words"),
    [("", "CET"), ("Asia/Tokyo", "JST"), ("Mars/Olympus", "CET"), ("../etc/passwd", "CET")],
)
def test_times_are_in_the_zone_of_the_viewer(acme: World, cookie: str, words: str) -> None:
    acme.report("failed")
    client = browser("max")
    client.cookies["time_zone"] = cookie
    body = client.get(home()).content.decode()
    assert f"{words}, 09:00:00 UTC" in body


def test_the_icon_has_a_badge_when_something_of_the_viewers_failed(acme: World) -> None:
    acme.report("failed", company="harbour")
    assert "icon-failed.svg" in browser("ada").get(home()).content.decode()
    assert "icon-failed.svg" not in browser("max").get(home()).content.decode()


def test_pages_allow_no_inline_script_or_style_and_are_not_kept(acme: World) -> None:
    acme.report("failed")
    give(acme, "max")
    client = browser("max")
    for page in ("", "alerts", "alerts/new", "notifications", "address"):
        response = client.get(home() + page)
        assert "no-store" in response["Cache-Control"]
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        body = response.content.decode()
        assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", body) == []
