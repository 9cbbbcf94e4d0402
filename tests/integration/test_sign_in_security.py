"""What protects a sign-in: its address, a second step, the list of sessions."""

import re
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from tests.signing_in import (
    SIGN_IN,
    body,
    link_in,
    reauthenticated,
    sent,
    sign_in,
    signed_in,
    user,
)
from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_new_sign_in_address_is_confirmed_by_its_owner_only(world: World) -> None:
    mallory, ada = Client(), signed_in(world.member("ada"))
    mallory.force_login(user("mallory@acme.example"))
    reauthenticated(mallory)
    mallory.post("/sign-in/email/", {"email": "rita@acme.example", "action_add": "1"})
    (message,) = sent()
    assert message.to == ["rita@acme.example"]
    link = link_in(message)
    assert Client().get(link)["Location"].startswith(SIGN_IN)
    assert "Somebody else has asked for this" in body(ada.get(link))
    assert ada.post(link)["Location"] == "/sign-in/security"
    assert world.member("rita").user is None
    assert "Use this address" in body(mallory.get(link))


def test_a_confirmed_sign_in_address_takes_the_place_of_the_old_one(world: World) -> None:
    client = signed_in(world.member("ada"))
    reauthenticated(client)
    client.post("/sign-in/email/", {"email": "ada@home.example", "action_add": "1"})
    assert "changes to <strong>ada@home.example" in body(client.get("/sign-in/email/"))
    page = body(client.post(link_in(sent()[0]), follow=True))
    assert "You sign in with ada@home.example from now on." in page
    assert world.member("ada").email == "ada@acme.example"
    assert sent()[1].to == ["ada@acme.example"]
    assert sign_in(Client(), "ada@home.example").status_code == 302


def test_two_step_sign_in_asks_for_a_code() -> None:
    owner = user("ada@acme.example")
    TOTP.activate(owner, generate_totp_secret())
    codes = RecoveryCodes.activate(owner).get_unused_codes()
    client = Client()
    response = sign_in(client, "ada@acme.example")
    assert response["Location"] == "/sign-in/two-step/authenticate/"
    assert "_auth_user_id" not in client.session
    page = client.post("/sign-in/two-step/authenticate/", {"code": "000000"})
    assert "This code is not right" in body(page)
    client.post("/sign-in/two-step/authenticate/", {"code": codes[0]})
    assert client.session["_auth_user_id"] == str(owner.pk)


def test_the_pages_of_sign_in_hold_no_inline_script_or_style(world: World) -> None:
    client = signed_in(world.member("ada"))
    reauthenticated(client)
    for path in (
        "security", "email/", "password/change/", "two-step/", "two-step/totp/activate/",
        "sessions/", "reauthenticate/", "logout/",
    ):  # fmt: skip
        response = client.get(f"/sign-in/{path}")
        assert response.status_code == 200, path
        for script in re.findall(r"<script[^>]*>", body(response)):
            assert " src=" in script
        assert " style=" not in body(response)
        assert "<style" not in body(response)
        assert 'class="account-icon"' in body(response)


def test_the_security_page_shows_the_state_of_everything(world: World) -> None:
    page = body(signed_in(world.member("ada")).get("/sign-in/security"))
    assert "ada@acme.example" in page
    assert "Switch on two-step sign-in" in page
    assert "Change password" in page
    assert "1 device<" in page
    assert f'href="/accounts/{world.account().pk}/address"' in page


def test_the_security_page_is_for_the_signed_in() -> None:
    assert Client().get("/sign-in/security")["Location"] == f"{SIGN_IN}?next=/sign-in/security"


def test_other_sessions_can_be_signed_out(world: World) -> None:
    user("ada@acme.example")
    here, there = Client(), Client()
    for client in (here, there):
        sign_in(client, "ada@acme.example")
    assert body(here.get("/sign-in/sessions/")).count("<tr>") == 3
    assert "All others are signed out." in body(here.post("/sign-in/sessions/", follow=True))
    assert there.get("/sign-in/security").status_code == 302
    assert here.get("/sign-in/security").status_code == 200


def test_a_session_lasts_two_weeks_from_its_last_day(world: World) -> None:
    with time_machine.travel(world.now, tick=False) as clock:
        client = signed_in(world.member("ada"))
        for _ in range(3):
            clock.shift(timedelta(days=13))
            assert client.get("/sign-in/security").status_code == 200
        clock.shift(timedelta(days=15))
        assert client.get("/sign-in/security").status_code == 302
