"""Signing in and what belongs to it: where one lands, what is kept, what strangers are told."""

import dataclasses
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from pytest_django.fixtures import SettingsWrapper as Settings
from tests.signing_in import PASSWORD, SIGN_IN, link_in, sent, signed_in, user
from tests.world import World

from integration_alerts.directory.models import Member, User
from integration_alerts.engine import demo

pytestmark = pytest.mark.django_db
LOCAL = {"HTTP_HOST": "localhost:8000", "REMOTE_ADDR": "127.0.0.1"}
FORGOTTEN = "/sign-in/password/reset/"


def sign_in(client: Client, address: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post(SIGN_IN, {"login": address, "password": password, **more})


def body(response: Any) -> str:
    return str(response.content.decode())


@pytest.mark.parametrize("old", ["/sign-in", "/sign-in/"])
def test_the_old_address_leads_to_the_sign_in_page(old: str) -> None:
    response = Client().get(f"{old}?next=/inbox")
    assert (response.status_code, response["Location"]) == (302, f"{SIGN_IN}?next=/inbox")


def test_signing_in_leads_to_where_one_was_going(world: World) -> None:
    user("ada@acme.example")
    page = f"/accounts/{world.account().pk}/address"
    response = sign_in(Client(), "Ada@acme.example", next=page)
    assert (response.status_code, response["Location"]) == (302, page)


@pytest.mark.parametrize(
    "next_", ["https://elsewhere.example/x", "//elsewhere.example/x", "javascript:alert(1)"]
)
def test_signing_in_leads_nowhere_else(next_: str) -> None:
    user("ada@acme.example")
    assert sign_in(Client(), "ada@acme.example", next=next_)["Location"] == "/"


def test_a_wrong_password_and_an_unknown_address_are_told_the_same() -> None:
    user("ada@acme.example")
    wrong = body(sign_in(Client(), "ada@acme.example", "wrong wrong wrong"))
    unknown = body(sign_in(Client(), "eve@acme.example", "wrong wrong wrong"))
    assert "This address and this password do not belong together" in wrong
    assert scrubbed(wrong).replace("ada@", "eve@") == scrubbed(unknown)


def test_the_tries_for_an_address_are_limited_whatever_host_is_named() -> None:
    user("ada@acme.example")
    for number in range(5):
        Client().post(
            SIGN_IN,
            {"login": "ada@acme.example", "password": "wrong"},
            headers={"Host": f"{number}.example"},
        )
    assert "too many tries for this address" in body(sign_in(Client(), "ada@acme.example"))


def test_what_was_typed_is_there_after_signing_in_again(world: World) -> None:
    user("ada@acme.example")
    page = f"/accounts/{world.account().pk}/address"
    client = Client()
    signed_out = client.post(page, {"email": "new@acme.example"})
    assert signed_out["Location"].startswith(f"{SIGN_IN}?next={page}")
    form = client.get(signed_out["Location"])
    back = re.search(r'name="next" value="([^"]+)"', body(form))
    assert back
    response = client.post(
        SIGN_IN, {"login": "ada@acme.example", "password": PASSWORD, "next": back[1]}, follow=True
    )
    assert 'value="new@acme.example"' in body(response)
    assert "Nothing was changed; do it once more." in body(response)
    assert not sent()


def test_a_form_of_before_a_sign_in_opens_again_with_what_was_typed(world: World) -> None:
    owner = user("ada@acme.example")
    page = f"/accounts/{world.account().pk}/address"
    Member.objects.filter(external_id="ada").update(user=owner)
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    response = client.post(
        page, {"email": "new@acme.example"}, headers={"Origin": "http://testserver"}
    )
    assert response.status_code == 302
    assert 'value="new@acme.example"' in body(client.get(response["Location"]))
    assert not sent()


@pytest.mark.parametrize("origin", ["http://elsewhere.example", "null", None])
def test_a_request_from_another_site_is_refused_and_not_kept(
    world: World, origin: str | None
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user("ada@acme.example"))
    headers = {} if origin is None else {"Origin": origin}
    page = f"/accounts/{world.account().pk}/address"
    response = client.post(page, {"email": "new@acme.example"}, headers=headers)
    assert response.status_code == 403
    assert "This form could not be accepted" in body(response)
    assert "drafts" not in client.session


def test_passwords_are_never_kept_as_drafts() -> None:
    client = Client(enforce_csrf_checks=True)
    form = {"login": "a@b.example", "password": PASSWORD}
    response = client.post(SIGN_IN, form, headers={"Origin": "http://testserver"})
    assert response.status_code == 403
    assert PASSWORD not in str(dict(client.session))


def test_nobody_can_sign_up() -> None:
    form = {"email": "eve@acme.example", "password1": PASSWORD}
    page = body(Client().post("/sign-in/signup/", form))
    assert "A sign-in comes with an invitation" in page
    assert not User.objects.exists()


def test_who_is_shut_out_cannot_sign_in() -> None:
    User.objects.filter(pk=user("ada@acme.example").pk).update(is_active=False)
    client = Client()
    assert "switched off" in body(
        client.post(SIGN_IN, {"login": "ada@acme.example", "password": PASSWORD}, follow=True)
    )
    assert "_auth_user_id" not in client.session


def test_a_forgotten_password_is_set_with_the_link_of_the_mail() -> None:
    user("ada@acme.example")
    client = Client()
    done = client.post(FORGOTTEN, {"email": "ADA@acme.example"}, follow=True)
    assert "If this address belongs to somebody" in body(done)
    (message,) = sent()
    assert (message.subject, message.to) == ("Set a new password", ["ada@acme.example"])
    form = client.get(link_in(message), follow=True)
    assert "Set a new password" in body(form)
    new = {"password1": "harbour-velvet-93", "password2": "harbour-velvet-93"}
    assert "Your password is changed" in body(
        client.post(form.redirect_chain[-1][0], new, follow=True)
    )
    assert sign_in(Client(), "ada@acme.example", "harbour-velvet-93").status_code == 302
    assert "This link works no more" in body(Client().get(link_in(message), follow=True))
    assert [message.subject for message in sent()][1:] == ["Your password was changed"]


def test_a_weak_password_is_refused_beside_its_field() -> None:
    user("ada@acme.example")
    client = Client()
    client.post(FORGOTTEN, {"email": "ada@acme.example"})
    form = client.get(link_in(sent()[0]), follow=True)
    weak = {"password1": "12345", "password2": "12345"}
    page = body(client.post(form.redirect_chain[-1][0], weak))
    assert 'aria-invalid="true"' in page
    assert "at least 10 characters" in page


def test_links_are_made_from_the_public_url_whatever_host_is_named() -> None:
    user("ada@acme.example")
    Client().post(FORGOTTEN, {"email": "ada@acme.example"}, headers={"Host": "evil.example"})
    assert "evil.example" not in str(sent()[0].message())
    assert link_in(sent()[0]).startswith("/sign-in/password/reset/key/")


def test_strangers_get_no_mail_and_the_same_page(world: World) -> None:
    user("max@acme.example")
    known, invited, unknown = (
        scrubbed(body(Client().post(FORGOTTEN, {"email": address}, follow=True)))
        for address in ("max@acme.example", "ada@acme.example", "eve@acme.example")
    )
    assert known == invited == unknown
    assert [message.to for message in sent()] == [["max@acme.example"], ["ada@acme.example"]]


def test_an_address_that_somebody_claims_is_not_theirs(world: World) -> None:
    claimer = user("mallory@acme.example")
    EmailAddress.objects.create(user=claimer, email="ada@acme.example")
    Client().post(FORGOTTEN, {"email": "ada@acme.example"})
    assert sent()[0].subject == "Your sign-in for the integrations of Acme"


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


def reauthenticated(client: Client) -> None:
    client.post("/sign-in/reauthenticate/", {"password": PASSWORD})


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
    here = signed_in(world.member("ada"))
    there = Client()
    sign_in(there, "ada@acme.example")
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


@pytest.fixture
def in_demo(settings: SettingsWrapper, world: World, tmp_path: Path) -> World:
    """As under `run --demo`."""
    settings.CONFIGURATION = dataclasses.replace(settings.CONFIGURATION, demo=True)
    demo.load(tmp_path, world.now)
    return world


@pytest.mark.usefixtures("in_demo")
def test_the_demo_offers_everybody_and_says_that_it_is_the_demo() -> None:
    for path in ("/", SIGN_IN):
        page = body(Client().get(path, **LOCAL))  # type: ignore[arg-type]
        assert "This is the demo" in page
        assert "Inês Duarte, Administrator" in page
        assert "Ruth Okafor, Reporting" in page
        assert "Operator: inbox and back office" in page


@pytest.mark.usefixtures("in_demo")
def test_one_click_signs_in_and_the_account_can_be_switched() -> None:
    client = Client(**LOCAL)
    response = client.post("/demo/sign-in", {"person": "ines"})
    assert response["Location"] == "/"
    page = body(client.get("/sign-in/security"))
    assert "Alerts of Lantern Agency" in page
    assert "Alerts of Quayside Events" in page


@pytest.mark.usefixtures("in_demo")
def test_the_demo_operator_sees_the_inbox() -> None:
    client = Client(**LOCAL)
    client.post("/demo/sign-in", {"person": "operator", "next": "/inbox"})
    assert User.objects.get(pk=client.session["_auth_user_id"]).is_staff


@pytest.mark.usefixtures("in_demo")
@pytest.mark.parametrize(
    "origin",
    [
        {**LOCAL, "REMOTE_ADDR": "192.0.2.7"},
        {**LOCAL, "HTTP_HOST": "rebound.example"},
        {**LOCAL, "HTTP_X_FORWARDED_FOR": "192.0.2.7"},
    ],
    ids=["another machine", "another name", "proxy"],
)
def test_the_demo_signs_nobody_in_from_elsewhere(origin: dict[str, str]) -> None:
    client = Client(**origin)
    assert client.post("/demo/sign-in", {"person": "ines"}).status_code == 404
    assert "Inês" not in body(client.get(SIGN_IN))
    assert "_auth_user_id" not in client.session


def test_outside_the_demo_nobody_is_signed_in_by_a_click(world: World, tmp_path: Path) -> None:
    demo.load(tmp_path, world.now)
    client = Client(**LOCAL)
    assert client.post("/demo/sign-in", {"person": "ines"}).status_code == 404
    assert "Inês" not in body(client.get(SIGN_IN)) + body(client.get("/"))


@pytest.mark.usefixtures("in_demo")
@pytest.mark.parametrize("person", ["ada", "nobody", ""])
def test_only_people_of_the_demo_can_be_tried(person: str) -> None:
    assert Client(**LOCAL).post("/demo/sign-in", {"person": person}).status_code == 404


@pytest.mark.usefixtures("in_demo")
def test_people_of_the_demo_have_no_password() -> None:
    assert not any(each.has_usable_password() for each in User.objects.all())


def scrubbed(page: str) -> str:
    """A page without its tokens."""
    return re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page)
