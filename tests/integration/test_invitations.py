"""Invitations: who gets one, what it is good for, and which members a user becomes."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from django.core import mail
from django.db import IntegrityError
from django.test import Client
from tests.installation import Installation
from tests.signing_in import PASSWORD, SIGN_IN, body, invitation_of, link_in, sent, signed_in, user
from tests.world import World

from integration_alerts.directory import invitations
from integration_alerts.directory.models import Account, Member, User
from integration_alerts.directory.sign_in_addresses import has_proven
from integration_alerts.engine import inviting

pytestmark = pytest.mark.django_db
FORGOTTEN = "/sign-in/password/reset/"
PASSWORDS = {"new_password1": PASSWORD, "new_password2": PASSWORD}
GLOBEX: list[dict[str, Any]] = [
    {"type": "account", "id": "globex", "name": "Globex"},
    {
        "type": "user", "account": "globex", "id": "a1", "email": "Ada@Acme.example",
        "name": "Ada", "role": "reporting", "companies": [],
    },
]  # fmt: skip


def members_of(owner: User) -> list[str]:
    rows = Member.objects.filter(user=owner).order_by("id")
    return [f"{m.account.external_id} {m.external_id}" for m in rows.select_related("account")]


@pytest.fixture(autouse=True)
def at_the_time_of_the_world(world: World) -> Any:
    with time_machine.travel(world.now, tick=False) as clock:
        yield clock


def test_an_invitation_sets_a_password_and_signs_in(world: World) -> None:
    assert inviting.invite([world.member("ada")], world.now) == 1
    (message,) = sent()
    assert message.to == ["ada@acme.example"]
    assert message.subject == "Your sign-in for the integrations of Acme"
    client = Client()
    assert "Welcome, Ada" in body(client.get(link_in(message)))
    response = client.post(link_in(message), PASSWORDS, follow=True)
    assert "Your password is set, and you are signed in." in body(response)
    owner = User.objects.get(email="ada@acme.example")
    assert members_of(owner) == ["acme ada"]
    assert has_proven(owner, "ada@acme.example")
    form = {"login": "ada@acme.example", "password": PASSWORD}
    assert Client().post(SIGN_IN, form).status_code == 302


def test_a_weak_password_is_refused_beside_its_field(world: World) -> None:
    weak = {"new_password1": "ada@acme.example", "new_password2": "ada@acme.example"}
    page = body(Client().post(invitation_of(world.member("ada"), world.now), weak))
    assert "too similar to the email" in page
    assert not User.objects.exists()


def test_one_invitation_is_good_for_all_accounts_with_that_address(world: World) -> None:
    world.directory(*GLOBEX)
    Client().post(invitation_of(world.member("ada"), world.now), PASSWORDS)
    assert members_of(User.objects.get()) == ["acme ada", "globex a1"]


def test_a_user_is_one_member_at_most_in_an_account(world: World) -> None:
    world.directory({
        "type": "user", "account": "acme", "id": "ada2", "email": "ada@acme.example",
        "name": "Ada the second", "role": "manager", "companies": ["north"],
    })  # fmt: skip
    Client().post(invitation_of(world.member("ada"), world.now), PASSWORDS)
    assert members_of(User.objects.get()) == ["acme ada"]
    with pytest.raises(IntegrityError):
        Member.objects.filter(external_id="ada2").update(user=User.objects.get())


def test_inactive_and_unverified_members_are_left_alone(world: World) -> None:
    world.directory(*GLOBEX)
    Member.objects.filter(external_id="a1").update(active=False)
    Member.objects.filter(external_id="max").update(email_verified=False)
    assert inviting.invite(Member.objects.all(), world.now) == 2
    Client().post(invitation_of(world.member("ada"), world.now), PASSWORDS)
    assert members_of(User.objects.get()) == ["acme ada"]


@pytest.mark.parametrize(
    "change",
    [{"email": "other@acme.example"}, {"active": False}, {"email_verified": False}],
    ids=["another address", "deactivated", "address not verified"],
)
def test_what_changed_since_makes_an_invitation_void(world: World, change: dict[str, Any]) -> None:
    link = invitation_of(world.member("ada"), world.now)
    Member.objects.filter(external_id="ada").update(**change)
    response = Client().post(link, PASSWORDS)
    assert response.status_code == 410
    assert "This invitation works no more" in body(response)
    assert "Ada" not in body(response)
    assert not User.objects.exists()


def test_an_invitation_works_for_seven_days(world: World) -> None:
    ada = world.member("ada")
    assert Client().get(invitation_of(ada, world.now, days=6, hours=23)).status_code == 200
    response = Client().post(invitation_of(ada, world.now, days=7), PASSWORDS)
    assert "Send me a new one" in body(response)
    assert not User.objects.exists()


def test_a_used_invitation_leads_to_sign_in(world: World) -> None:
    link = invitation_of(world.member("ada"), world.now)
    Client().post(link, PASSWORDS)
    response = Client().post(link, {"new_password1": "x" * 20, "new_password2": "x" * 20})
    assert response.status_code == 410
    assert "It was accepted before." in body(response)
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize("token", ["nonsense", "a:b:c", "WzEsMl0:1abc:defg"])
def test_what_is_no_invitation_gives_nothing(token: str) -> None:
    response = Client().get(f"/invitation/{token}")
    assert response.status_code == 410
    assert "The address of this page is not complete" in body(response)
    assert not sent()


def test_a_token_of_another_kind_is_no_invitation(world: World) -> None:
    other = invitations.signing.dumps([world.member("ada").pk, 2**40, "x"], salt="other")
    assert invitations.open_token(other, world.now).member is None


def test_an_expired_invitation_sends_a_new_one(world: World) -> None:
    link = invitation_of(world.member("ada"), world.now, days=8)
    page = body(Client().post(f"{link}/again", follow=True))
    assert "Look into your mailbox" in page
    assert "Welcome, Ada" in body(Client().get(link_in(sent()[0])))


def test_who_can_sign_in_already_signs_in_to_accept(world: World) -> None:
    owner = user("ada@acme.example")
    link = invitation_of(world.member("ada"), world.now)
    client = Client()
    assert client.post(link, PASSWORDS)["Location"].startswith(SIGN_IN)
    assert client.get(link)["Location"] == f"{SIGN_IN}?next={quote(link)}"
    assert PASSWORD not in str(dict(client.session))
    assert owner.check_password(PASSWORD)
    form = {"login": "ada@acme.example", "password": PASSWORD, "next": link}
    assert client.post(SIGN_IN, form, follow=True).redirect_chain[-1][0] != link
    assert members_of(owner) == ["acme ada"]


def test_an_invitation_can_be_accepted_with_the_sign_in_one_has(world: World) -> None:
    world.directory(*GLOBEX)
    Member.objects.filter(external_id="a1").update(email="ada@globex.example")
    client = signed_in(world.member("ada"))
    link = invitation_of(Member.objects.get(external_id="a1"), world.now)
    assert "You are signed in as <strong>ada@acme.example" in body(client.get(link))
    client.post(link)
    assert members_of(User.objects.get()) == ["acme ada", "globex a1"]
    assert not has_proven(User.objects.get(), "ada@globex.example")


def test_with_another_sign_in_an_invitation_is_good_for_the_one_account_it_names(
    world: World,
) -> None:
    bee = {"account": "bee", "id": "ada", "email": "ada@acme.example", "name": "Ada"}
    world.directory(
        {"type": "account", "id": "bee", "name": "Bee"},
        {"type": "user", "role": "administrator", **bee},
    )
    colleague = user("colleague@acme.example")
    client = Client()
    client.force_login(colleague)
    client.post(invitation_of(world.member("ada"), world.now))
    assert [each.account.external_id for each in colleague.members.all()] == ["acme"]


def test_nobody_becomes_a_second_member_of_an_account(world: World) -> None:
    client = signed_in(world.member("ada"))
    client.post(invitation_of(world.member("max"), world.now))
    assert members_of(User.objects.get()) == ["acme ada"]


def test_members_who_came_later_are_linked_at_the_next_sign_in(world: World) -> None:
    owner = user("ada@acme.example")
    world.directory(*GLOBEX)
    Client().post(SIGN_IN, {"login": "ada@acme.example", "password": PASSWORD})
    assert members_of(owner) == ["acme ada", "globex a1"]


def test_an_address_that_is_not_proven_links_nobody(world: World) -> None:
    mallory = User.objects.create(email="ada@acme.example")
    Client().force_login(mallory)
    assert members_of(mallory) == []


def test_a_forgotten_password_of_who_has_none_is_an_invitation(world: World) -> None:
    for _ in range(3):
        Client().post(FORGOTTEN, {"email": "Ada@acme.example"})
    (message,) = sent()
    assert "Welcome, Ada" in body(Client().get(link_in(message)))


def test_the_mail_says_who_what_and_how_long(world: World) -> None:
    inviting.invite([world.member("ada")], world.now)
    message = sent()[0]
    text, html = str(message.body), str(message.alternatives[0][0])
    assert "The link works for 7 days, for ada@acme.example only." in text
    assert ">Set your password</a>" in html
    assert "<script" not in html


def test_names_cannot_break_the_mail(world: World) -> None:
    Account.objects.update(name="Acme\r\nBcc: eve@evil.example =?utf-8?q?x?= <b>")
    inviting.invite([world.member("ada")], world.now)
    message = sent()[0].message()
    assert message["Bcc"] is None
    assert "<b>" not in str(sent()[0].alternatives[0][0])


def test_the_self_service_invites_one_member_of_each_address(world: World) -> None:
    world.directory(*GLOBEX)
    Client().post(FORGOTTEN, {"email": "ada@acme.example"})
    assert len(mail.outbox) == 1


def test_everybody_is_invited_once(world: World) -> None:
    account = world.account()
    assert inviting.invite(inviting.to_invite(account, world.now), world.now) == 3
    assert not inviting.to_invite(account, world.now + timedelta(days=6)).exists()
    assert inviting.to_invite(account, world.now + timedelta(days=7)).count() == 3


def test_the_command_invites_and_counts(installation: Installation) -> None:
    first = installation.command("invite", "--account", "acme")
    assert (first.stdout, first.returncode) == ("invited 3, left out 0, unknown 0\n", 0)
    again = installation.command("invite", "--account", "acme")
    assert again.stdout == "invited 0, left out 3, unknown 0\n"
    named = installation.command("invite", "--account", "acme", "ada", "nobody")
    assert (named.stdout, named.returncode) == ("invited 1, left out 0, unknown 1\n", 1)
    assert named.stderr == "USER_ID: no user 'nobody' in account 'acme'\n"
    wrong = installation.command("invite", "--account", "globex")
    assert wrong.returncode == 2
    assert "no account 'globex'" in wrong.stderr
