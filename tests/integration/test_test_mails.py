"""The button "Send me a test": to oneself alone, by a worker, not too often."""

import threading
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from django.db import connection, transaction
from pytest_django import Settings
from tests.bouncing import returned, signed
from tests.pages import account, address, alert, browser, give, member, text_of
from tests.world import World

from integration_alerts.configuration import load
from integration_alerts.directory.models import Member
from integration_alerts.engine import posting, testing_mail
from integration_alerts.engine.models import PostedMail
from integration_alerts.mail import allowance, bounces, pacing
from integration_alerts.mail.models import Email, SendingPace
from integration_alerts.mail.unsubscribing import unsubscribe_url
from integration_alerts.rules.retry import Answer, Phase

pytestmark = pytest.mark.django_db
ON_ITS_WAY = "A test mail is on its way to max@acme.example."


@pytest.fixture
def asked(acme: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """Max and Ada have alerts; the pages read the world's clock."""
    give(acme, "max", "north")
    give(acme, "ada")
    monkeypatch.setattr("integration_alerts.engine.clock.now", lambda: acme.now)
    return acme


def ask(who: str, of: str = "", **fields: str) -> str:
    """Press the button of an alert; what the page then says."""
    path = address(f"/{alert(of or who).pk}/test")
    return text_of(browser(who).post(path, fields, follow=True))


def arrived(world: World) -> list[EmailMessage]:
    """What a worker sends."""
    posting.post_due(world.courier())
    return [message_from_bytes(raw, policy=default) for _, raw in world.mailer.sent]  # type: ignore[misc]


def text(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r", "")


def test_the_page_says_that_a_test_is_on_its_way(asked: World) -> None:
    assert ON_ITS_WAY in ask("max")


def test_a_worker_sends_it_to_the_members_current_address(asked: World) -> None:
    Member.objects.filter(pk=member("max").pk).update(email="new@acme.example")
    ask("max")
    assert not asked.mailer.sent
    arrived(asked)
    assert [to for to, _ in asked.mailer.sent] == ["new@acme.example"]


def test_it_says_that_it_is_a_test_and_why_it_came(asked: World) -> None:
    ask("max")
    (mail,) = arrived(asked)
    assert str(mail["Subject"]).startswith("Test: ")
    assert "This is a test mail. Nothing of what it says has happened." in text(mail)
    assert "you asked for a test of your integration" in text(mail)


def test_it_has_what_every_mail_of_the_account_has(asked: World, settings: Settings) -> None:
    settings.CONFIGURATION = load({"PUBLIC_URL": "https://alerts.example"})
    brand = {"name": "Acme Works", "colour": "#ffb000", "reply_to": "help@acme.example"}
    asked.directory({"type": "account", "id": "acme", "brand": brand})
    ask("max")
    (mail,) = arrived(asked)
    link = unsubscribe_url("https://alerts.example", member("max").pk)
    assert mail["From"] == "Acme Works <alerts@localhost>"
    assert mail["Reply-To"] == "Acme Works <help@acme.example>"
    assert mail["List-Unsubscribe"] == f"<{link}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert f"<alerts.account-{account()}." in mail["List-Id"]
    assert mail["Auto-Submitted"] == "auto-generated"
    home = f"https://alerts.example/accounts/{account()}"
    assert f"Reconnect it:\n{home}/\n" in text(mail)
    assert f"Manage your alerts: {home}/alerts" in text(mail)
    assert f"Unsubscribe: {link}" in text(mail)
    assert "(Europe/Berlin)" in text(mail)


def test_it_says_nothing_of_real_companies_or_other_people(asked: World) -> None:
    asked.directory({"type": "company", "account": "acme", "id": "north", "name": "True North"})
    ask("max")
    (mail,) = arrived(asked)
    said = mail.as_string()
    secrets = ("True North", "South Hotel", "Harbour", "ada@", "Globex", "Also told")
    assert [each for each in secrets if each in said] == []


def test_it_changes_nothing_that_is_told_about_real_mails(asked: World) -> None:
    ask("max")
    arrived(asked)
    assert not Email.objects.exists()
    assert "receiving none" in text_of(browser("max").get(address()))


def test_to_somebody_else_none_is_sent(asked: World) -> None:
    said = ask("ada", "max")
    assert "No test was sent: only Max can have one sent to max@acme.example." in said
    assert not PostedMail.objects.exists()


def test_looking_sends_nothing(asked: World) -> None:
    browser("max").get(address(f"/{alert('max').pk}/test"), follow=True)
    assert not PostedMail.objects.exists()


def test_the_button_stands_on_ones_own_alert_alone(asked: World) -> None:
    ada = browser("ada")
    own, others = (f"/{alert(who).pk}" for who in ("ada", "max"))
    assert address(f"{own}/test") in ada.get(address(own)).content.decode()
    assert address(f"{others}/test") not in ada.get(address(others)).content.decode()
    listing = ada.get(address()).content.decode()
    assert (address(f"{own}/test") in listing, listing.count("Send me a test")) == (True, 1)


def test_from_the_list_one_comes_back_to_the_list(asked: World) -> None:
    path = address(f"/{alert('max').pk}/test")
    assert browser("max").post(path, {"from": "list"})["Location"] == address()
    assert browser("max").post(path)["Location"] == address(f"/{alert('max').pk}")


def test_at_most_five_in_any_hour(asked: World) -> None:
    for _ in range(testing_mail.MOST):
        assert ON_ITS_WAY in ask("max")
        asked.pass_time(minutes=1)
    said = ask("max")
    assert "No test was sent: you had 5 within an hour. The next one can go in 55 minutes." in said
    assert PostedMail.objects.count() == 5
    asked.pass_time(minutes=55)
    assert ON_ITS_WAY in ask("max")
    assert "The next one can go in 1 minute." in ask("max")


def test_everybody_has_five_of_their_own(asked: World) -> None:
    for _ in range(6):
        ask("max")
    assert "A test mail is on its way to ada@acme.example." in ask("ada")


def test_one_that_could_not_be_kept_does_not_count(
    asked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(posting, "post", broken)
    with pytest.raises(RuntimeError):
        testing_mail.post_to_member(member("max"), asked.now)
    assert not SendingPace.objects.exists()


def test_what_was_counted_is_forgotten_after_a_day(asked: World) -> None:
    ask("max")
    asked.pass_time(hours=26)
    pacing.forget_old(asked.now)
    assert not SendingPace.objects.exists()


def test_to_an_address_that_nobody_confirmed_none_is_sent(asked: World) -> None:
    Member.objects.filter(pk=member("max").pk).update(email_verified=False)
    said = ask("max")
    assert "No test was sent: nobody has confirmed that max@acme.example is yours." in said
    assert not PostedMail.objects.exists()


def test_to_an_address_that_no_header_can_hold_none_is_sent(asked: World) -> None:
    Member.objects.filter(pk=member("max").pk).update(email="m\u00adx@acme.example")
    assert "No test was sent: no mail can be written to this address." in ask("max")
    assert not SendingPace.objects.exists()


def test_to_an_address_that_mail_came_back_from_none_is_sent(asked: World) -> None:
    asked.report("failed", company="north")
    asked.work()
    email = Email.objects.get(member=member("max"))
    bounces.take_message(returned("postfix-unknown-user", signed(email)), "", asked.now)
    browser("max").post(address(f"/{alert('max').pk}/pause"))
    said = ask("max")
    assert "No test was sent: mail to max@acme.example is held back." in said
    assert not PostedMail.objects.exists()


def test_a_paused_alert_gets_its_test_and_is_named_as_paused(asked: World) -> None:
    browser("max").post(address(f"/{alert('max').pk}/pause"))
    said = ask("max")
    assert f"{ON_ITS_WAY} The test goes although your alert is paused; other mail waits" in said
    assert PostedMail.objects.count() == 1


def test_an_alert_about_nothing_gets_its_test_and_is_told_so(asked: World) -> None:
    asked.directory(
        {"type": "user", "account": "acme", "id": "max", "companies": ["south"]},
    )
    assert f"{ON_ITS_WAY} Other mail does not go: has no access to any of these" in ask("max")


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (Answer(Phase.ACCEPTANCE, None, "silence"), "it may have been accepted all the same"),
        (Answer(Phase.DATA, 451, "later"), "try again in some minutes"),
        (Answer(Phase.TLS, None, "not trusted"), "the certificate must be valid for the host"),
        (Answer(Phase.DATA, 554, "no"), "ask whoever runs it"),
    ],
)
def test_each_refusal_has_its_advice(answer: Answer, advice: str) -> None:
    assert advice in testing_mail.advice(answer)


@pytest.mark.django_db(transaction=True)
def test_two_processes_count_together(world: World) -> None:
    """Another connection has taken one and not yet committed: the first waits, then counts it."""
    taken: list[object] = []

    def take() -> None:
        with transaction.atomic():
            taken.append(allowance.take("shared", 1, testing_mail.WITHIN, world.now))
        connection.close()

    with transaction.atomic():
        assert allowance.take("shared", 1, testing_mail.WITHIN, world.now) is None
        other = threading.Thread(target=take)
        other.start()
        other.join(0.3)
        assert not taken
    other.join(10)
    assert taken == [world.now + testing_mail.WITHIN]
