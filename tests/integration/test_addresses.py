"""A member's mail address: changed on the page, in force once its mailbox has confirmed (R13)."""

from typing import Any

import pytest
import time_machine
from django.test import Client
from tests.signing_in import body, link_in, sent, signed_in, user
from tests.world import World

from integration_alerts.directory.models import Member

pytestmark = pytest.mark.django_db
NEW = "ada@home.example"


def page_of(world: World) -> str:
    return f"/accounts/{world.account().pk}/address"


def ask(world: World, client: Client, address: str = NEW) -> Any:
    return client.post(page_of(world), {"email": address}, follow=True)


@pytest.fixture(autouse=True)
def clock(world: World) -> Any:
    with time_machine.travel(world.now, tick=False) as moved:
        yield moved


@pytest.mark.parametrize("who", ["ada", "max", "rita"])
def test_every_role_sees_its_address(world: World, who: str) -> None:
    page = body(signed_in(world.member(who)).get(page_of(world)))
    assert f"<strong>{who}@acme.example</strong>" in page
    assert "Sign-in &amp; security" in page


def test_a_new_address_is_used_once_its_mailbox_confirmed(world: World) -> None:
    client = signed_in(world.member("ada"))
    page = body(ask(world, client))
    assert "until then, mail goes to ada@acme.example." in page
    (message,) = sent()
    assert message.to == [NEW]
    world.report("failed")
    assert world.work()[0].startswith("ada@acme.example: ")
    asked = body(Client().get(link_in(message)))
    assert f"Use {NEW}?" in asked
    assert "Mail for Ada about the integrations of Acme" in asked
    assert world.member("ada").email == "ada@acme.example"
    done = body(Client().post(link_in(message)))
    assert "Your address is changed" in done
    assert (world.member("ada").email, world.member("ada").email_verified) == (NEW, True)
    world.report("failed", "more", company="south")
    assert world.work() == [f"{NEW}: more for South stopped working"]


def test_the_old_address_is_told(world: World) -> None:
    ask(world, signed_in(world.member("ada")))
    Client().post(link_in(sent()[0]))
    told = sent()[1]
    assert told.to == ["ada@acme.example"]
    assert f"goes to {NEW} now" in str(told.body)


def test_no_address_changes_without_the_mail_that_tells_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: object) -> None:
        raise OSError("no")

    ask(world, signed_in(world.member("ada")))
    monkeypatch.setattr("integration_alerts.web.sign_in.address.tell_old_address", fails)
    with pytest.raises(OSError, match="no"):
        Client().post(link_in(sent()[0]))
    assert world.member("ada").email == "ada@acme.example"


def test_the_sign_in_address_stays(world: World) -> None:
    client = signed_in(world.member("ada"))
    ask(world, client)
    Client().post(link_in(sent()[0]))
    assert "You sign in with ada@acme.example." in body(client.get(page_of(world)))


def test_a_link_works_once_and_for_three_days(world: World, clock: Any) -> None:
    client = signed_in(world.member("ada"))
    ask(world, client)
    ask(world, client, "ada@third.example")
    first, second = (link_in(message) for message in sent())
    Client().post(first)
    for link in (first, second):
        response = Client().post(link)
        assert response.status_code == 410
        assert "This link works no more" in body(response)
        assert "Ada" not in body(response)
    assert world.member("ada").email == NEW
    ask(world, client, "ada@late.example")
    late = link_in(sent()[-1])
    clock.shift(3 * 24 * 3600)
    assert Client().post(late).status_code == 410
    assert world.member("ada").email == NEW


def test_a_link_of_who_was_deactivated_is_void(world: World) -> None:
    ask(world, signed_in(world.member("ada")))
    Member.objects.filter(external_id="ada").update(active=False)
    assert Client().post(link_in(sent()[0])).status_code == 410
    assert world.member("ada").email == "ada@acme.example"


@pytest.mark.parametrize("token", ["nonsense", "a:b:c"])
def test_what_is_no_link_of_ours_changes_nothing(token: str) -> None:
    assert Client().post(f"/address/{token}").status_code == 410


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("", "Type the address that mail should go to."),
        ("ada", "“ada” is not an e-mail address."),
        ("a@b.example\r\nBcc: c@d.example", "is not an e-mail address."),
        ("ada@acme.example", "This is your address already."),
    ],
)
def test_what_cannot_be_an_address_is_refused_beside_the_field(
    world: World, typed: str, problem: str
) -> None:
    page = body(ask(world, signed_in(world.member("ada")), typed))
    assert problem in page
    assert 'aria-invalid="true"' in page
    assert not sent()


def test_nobody_can_have_hundreds_of_mails_sent(world: World) -> None:
    client = signed_in(world.member("ada"))
    answers = [ask(world, client, f"a{number}@b.example").status_code for number in range(12)]
    assert answers == [200] * 10 + [429] * 2
    assert len(sent()) == 10


def test_another_account_s_page_does_not_exist(world: World) -> None:
    client = Client()
    client.force_login(user("gus@globex.example"))
    for response in (client.get(page_of(world)), ask(world, client)):
        assert response.status_code == 404
        assert "Acme" not in body(response)
    assert not sent()
