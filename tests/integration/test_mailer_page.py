"""The operators' page about the mailer, and what `check` says of it."""

from datetime import timedelta
from html import unescape
from re import sub

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from tests.world import World

from integration_alerts.configuration import load
from integration_alerts.directory.models import User
from integration_alerts.engine.health import check
from integration_alerts.mail import circuits
from integration_alerts.mail.models import Email
from integration_alerts.mail.queue_state import queue_state
from integration_alerts.rules.retry import Answer, Phase

pytestmark = pytest.mark.django_db
PAGE = "/back-office/mailer/"
WRONG_PASSWORD = Answer(Phase.AUTH, 535, "<b>authentication failed</b>")


@pytest.fixture
def operator() -> Client:
    client = Client()
    client.force_login(User.objects.create_operator("op@platform.example", "a long password"))
    return client


def words(client: Client, world: World) -> str:
    with time_machine.travel(world.now, tick=False):
        client.force_login(User.objects.get(email="op@platform.example"))
        response = client.get(PAGE)
    assert response.status_code == 200
    return " ".join(unescape(sub(r"<[^>]+>", " ", response.content.decode())).split())


def test_all_is_well(operator: Client, world: World) -> None:
    page = words(operator, world)
    assert "Mail is handed to the built-in inbox" in page
    assert "Nothing stands against sending." in page
    assert "All mail no limit" in page
    assert "Last one taken over none" in page


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (WRONG_PASSWORD, "Correct the user name, password or key in EMAIL_URL and restart"),
        (Answer(Phase.TLS, None, "not trusted"), "The certificate must be valid for the host"),
        (Answer(Phase.SENDER, 530, "sign in first"), "Check EMAIL_URL, and what the mail server"),
    ],
)
def test_a_mailer_that_refuses_us_is_shown_with_what_to_do(
    operator: Client, world: World, answer: Answer, advice: str
) -> None:
    world.queue(3)
    world.mailer.answer = answer
    world.deliver()
    world.pass_time(minutes=3)
    page = words(operator, world)
    assert "No mail is sent" in page
    assert "Since 2 Mar 2026, 09:00:00 UTC, 3 minutes ago" in page
    assert answer.text in page
    assert advice in page
    assert "Could go now 3" in page


def test_what_waits_and_how_fast_it_goes(
    operator: Client, world: World, settings: Settings
) -> None:
    settings.CONFIGURATION = load(
        {
            "EMAIL_URL": "postmark://hunter2@",
            "MAIL_RATE": "12.5",
            "MAIL_RATE_PER_DOMAIN": "big.example=20,*=50",
        }
    )
    world.queue(1)
    world.work()
    world.pass_time(minutes=1)
    world.queue(2)  # the first one has failed already
    Email.objects.filter(status="queued").update(next_attempt_at=world.now + timedelta(hours=1))
    page = words(operator, world)
    assert "Mail is handed to Postmark." in page
    assert (
        "All mail 12.5 a second To big.example 20 a second To each other domain 50 a second" in page
    )
    assert "Could go now 0" in page
    assert "another attempt 1 " in page
    assert "Last one taken over 2 Mar 2026, 09:00:00 UTC, 1 minute ago" in page
    assert "hunter2" not in page


def test_looking_costs_the_same_for_any_queue(world: World) -> None:
    costs = []
    for _ in range(2):
        world.queue(5)
        with CaptureQueriesContext(connection) as queries:
            assert queue_state(world.now).oldest == world.now
        costs.append(len(queries))
    assert costs[0] == costs[1]


def test_a_refused_attempt_is_no_acceptance(world: World) -> None:
    world.queue(1)
    world.mailer.answer = Answer(Phase.ACCEPTANCE, 554, "spam")
    world.deliver()
    assert queue_state(world.now).last_accepted_at is None


def test_only_operators_see_it(world: World) -> None:
    client = Client()
    client.force_login(User.objects.create(email="ada@acme.example"))
    assert client.get(PAGE, follow=True).status_code == 403
    assert Client().get(PAGE).status_code == 302


def test_check_tells_of_it(world: World) -> None:
    circuits.open_circuit(world.mailer, WRONG_PASSWORD, world.now)
    (finding,) = (found for found in check(load({})) if found.id == "delivery")
    assert not finding.well
    assert finding.detail.startswith("no mail is sent since 2026-03-02 09:00:00 UTC: recording ")
    assert "restart the worker" in finding.hint


def test_check_says_that_a_service_is_tried_by_sending_only(world: World) -> None:
    (finding,) = (found for found in check(load({"EMAIL_URL": "postmark://hunter2@"}))
                  if found.id == "mail")  # fmt: skip
    assert finding.well
    assert finding.detail == "Postmark: only an email shows whether the service takes ours"
