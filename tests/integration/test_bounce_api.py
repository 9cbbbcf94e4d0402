"""`POST /api/v1/bounces`: a mail server hands a returned mail over by HTTP."""

import json
from datetime import datetime
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from tests.bouncing import returned, signed
from tests.world import World

from integration_alerts.directory.keys import create_key
from integration_alerts.directory.models import Suppression
from integration_alerts.engine import clock
from integration_alerts.mail import bounces
from integration_alerts.mail.dsn import LARGEST
from integration_alerts.mail.models import Bounce, Email

pytestmark = pytest.mark.django_db


@pytest.fixture
def email(world: World) -> Email:
    """A mail to Max, sent now."""
    world.now = clock.now()
    world.report("failed")
    world.work()
    return Email.objects.get(member=world.member("max"))


def post(
    raw: bytes, *, recipient: str = "", key: str | None = None, kind: str = "message/rfc822"
) -> Any:
    """Hand a mail over."""
    key = create_key("tests", None, clock.now()) if key is None else key
    query = {"recipient": recipient} if recipient else {}
    return Client(raise_request_exception=False).post(
        "/api/v1/bounces", raw, content_type=kind, query_params=query,
        headers={"Authorization": f"Bearer {key}"},
    )  # fmt: skip


@pytest.mark.parametrize("sample", ["postfix", "exim", "exchange", "gmail", "qmail"])
def test_a_returned_mail_of_every_server_is_recorded(email: Email, sample: str) -> None:
    raw = returned(f"{sample}-unknown-user", signed(email))
    response = post(raw, recipient=signed(email))
    assert (response.status_code, response.json()) == (200, {"result": "recorded"})
    assert (Bounce.objects.get().kind, Suppression.objects.count()) == ("hard", 1)


@pytest.mark.parametrize("sample", ["postfix", "exim", "exchange", "gmail", "qmail"])
def test_without_the_recipient_the_message_says_where_it_came_to(email: Email, sample: str) -> None:
    response = post(returned(f"{sample}-unknown-user", signed(email)))
    assert response.json() == {"result": "recorded"}


def test_sending_it_again_changes_nothing(email: Email) -> None:
    raw = returned("postfix-unknown-user", signed(email))
    assert [post(raw).json() for _ in range(2)] == [{"result": "recorded"}, {"result": "duplicate"}]
    assert Bounce.objects.count() == 1


def test_a_forged_one_is_ignored_with_the_reason(email: Email) -> None:
    raw = returned("postfix-unknown-user", f"bounces+{email.pk}-{'a' * 20}@alerts.example")
    reason = "no recipient of the message is a return path that was signed here"
    assert post(raw).json() == {"result": "ignored", "reason": reason}
    assert Bounce.objects.count() == 0


def test_a_delay_is_ignored_with_the_reason(email: Email) -> None:
    response = post(returned("postfix-delayed", signed(email)))
    assert response.json()["reason"] == "the report tells of no failed delivery"


def problem(response: Any, status: int) -> str:
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")
    return str(json.loads(response.content)["detail"])


def test_it_takes_a_platform_key(email: Email, world: World) -> None:
    own = create_key("acme", world.account(), world.now)
    for key in ("", "ia_wrong", own):
        assert "API key" in problem(post(b"x", key=key), 401)


def test_another_content_type_is_refused(email: Email) -> None:
    assert "expected message/rfc822" in problem(post(b"{}", kind="application/json"), 415)


def test_an_empty_body_is_refused(email: Email) -> None:
    assert problem(post(b"\r\n"), 422) == "the body holds no message"


def test_a_mail_of_more_than_a_megabyte_is_refused(email: Email) -> None:
    assert "larger than 1 MB" in problem(post(b"x" * (LARGEST + 1)), 413)


def test_while_the_email_is_being_sent_it_asks_to_come_again(email: Email, world: World) -> None:
    email.deliveryattempt_set.all().delete()
    Email.objects.filter(pk=email.pk).update(
        status="sending", claimed_by=world.worker, ended_at=None
    )
    response = post(returned("postfix-unknown-user", signed(email)))
    assert "being sent at this moment" in problem(response, 503)


def test_while_the_database_is_away_it_asks_to_come_again(
    email: Email, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(raw: bytes, recipient: str, now: datetime) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(bounces, "take_message", away)
    response = post(b"x")
    assert "the database is away" in problem(response, 503)
    assert response["Retry-After"] == "5"


def test_words_that_the_database_cannot_hold_are_taken_without_them(email: Email) -> None:
    raw = returned("postfix-unknown-user", signed(email)).replace(b"User unknown", b"\0\xff\xfe")
    assert post(raw).json() == {"result": "recorded"}
    assert "\0" not in Bounce.objects.get().diagnostic


def test_the_document_describes_it() -> None:
    operation = Client().get("/api/v1/openapi.json").json()["paths"]["/api/v1/bounces"]["post"]
    assert list(operation["requestBody"]["content"]) == ["message/rfc822"]
    assert set(operation["responses"]) == {"200", "401", "413", "415", "422", "503"}
    assert [parameter["name"] for parameter in operation["parameters"]] == ["recipient"]
