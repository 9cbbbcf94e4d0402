"""Signing in: where one lands, what is kept, what strangers are told, and lost passwords."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.test import Client
from pytest_django import Settings
from tests.signing_in import PASSWORD, SIGN_IN, body, link_in, scrubbed, sent, sign_in, user
from tests.world import World

from integration_alerts.directory.models import Member, User
from integration_alerts.engine import tasks

pytestmark = pytest.mark.django_db
FORGOTTEN = "/sign-in/password/reset/"


@pytest.mark.parametrize("old", ["/sign-in", "/sign-in/"])
def test_the_old_address_leads_to_the_sign_in_page(old: str) -> None:
    response = Client().get(f"{old}?next=/inbox")
    assert (response.status_code, response["Location"]) == (302, f"{SIGN_IN}?next=/inbox")


def test_signing_in_leads_to_where_one_was_going(world: World) -> None:
    user("ada@acme.example")
    page = f"/accounts/{world.account().pk}/address"
    response = sign_in(Client(), "Ada@acme.example", next=page)
    assert (response.status_code, response["Location"]) == (302, page)


def test_sessions_that_have_ended_are_deleted(world: World) -> None:
    user("ada@acme.example")
    for _ in range(2):
        sign_in(Client(), "ada@acme.example")
    ended = Session.objects.all()[0]
    Session.objects.filter(pk=ended.pk).update(expire_date=world.now)
    tasks.forget_sessions(timestamp=0)
    assert Session.objects.exclude(pk=ended.pk).exists()
    assert not Session.objects.filter(pk=ended.pk).exists()


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


@pytest.mark.parametrize(
    ("proxies", "forwarded", "limited"),
    [(0, "192.0.2.{}", True), (1, "198.51.100.1, 192.0.2.{}", False), (2, "192.0.2.{}", True)],
    ids=["the header counts for nothing", "the last entry counts", "too few entries"],
)
def test_tries_are_limited_for_each_visitor(
    settings: Settings, proxies: int, forwarded: str, limited: bool
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    statuses = {
        Client()
        .post(
            SIGN_IN,
            {"login": f"a{number}@acme.example", "password": "wrong"},
            headers={"X-Forwarded-For": forwarded.format(number)},
        )
        .status_code
        for number in range(31)
    }
    assert (429 in statuses) is limited


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
    assert "Nothing was changed; do it once more." in body(form)
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
