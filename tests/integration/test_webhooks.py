"""`POST /webhooks/<service>`: what an email service tells, in its own form, over django-anymail."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from anymail.signals import AnymailTrackingEvent
from django.conf import settings
from django.db import OperationalError
from django.test import Client, override_settings
from tests.world import World

from integration_alerts.api.webhooks import report_of
from integration_alerts.engine import clock
from integration_alerts.mail import bounces
from integration_alerts.mail.email_url import parse_email_url
from integration_alerts.mail.esp_url import Esp
from integration_alerts.mail.models import Bounce, DeliveryAttempt, Email
from integration_alerts.mail.return_path import token
from integration_alerts.rules.suppression import BounceKind

pytestmark = pytest.mark.django_db

SECRET = "postmark:open-sesame"
SIGNING_KEY = "key-of-the-signature"
HARD, SOFT, COMPLAINT = BounceKind


@pytest.fixture
def email(world: World) -> Email:
    """A mail to Max, sent now."""
    world.now = clock.now()
    world.report("failed")
    world.work()
    return Email.objects.get(member=world.member("max"))


def configured(url: str, secret: str = "") -> Any:
    """Settings with this EMAIL_URL and WEBHOOK_SECRET."""
    esp = parse_email_url(url)
    assert isinstance(esp, Esp)
    return override_settings(
        CONFIGURATION=replace(settings.CONFIGURATION, mail_server=esp, webhook_secret=secret),
        ANYMAIL={**esp.anymail_settings(), "WEBHOOK_SECRET": secret},
    )


@pytest.fixture
def postmark() -> Iterator[None]:
    """Postmark sends our mail, and signs in to its webhook."""
    with configured("postmark://token@", SECRET):
        yield


def post(service: str, event: Any, secret: str = SECRET) -> Any:
    """POST as the service does."""
    credentials = base64.b64encode(secret.encode()).decode()
    return Client(raise_request_exception=False, enforce_csrf_checks=True).post(
        f"/webhooks/{service}", json.dumps(event), content_type="application/json",
        headers={"Authorization": f"Basic {credentials}"} if secret else {},
    )  # fmt: skip


def bounced(email: Email, **changes: Any) -> dict[str, Any]:
    """Postmark's bounce webhook."""
    return {
        "RecordType": "Bounce", "MessageStream": "outbound", "ID": 4323372036854775807,
        "Type": "HardBounce", "TypeCode": 1, "Name": "Hard bounce", "Tag": "",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "Metadata": {"email": token(email.pk)},
        "ServerID": 23, "Description": "The server was unable to deliver your message",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        "Email": "max@acme.example", "From": "alerts@platform.example",
        "BouncedAt": "2026-03-02T09:00:33Z", "DumpAvailable": True, "Inactive": True,
        "CanActivate": True, "Subject": "Google Ads stopped working", **changes,
    }  # fmt: skip


def complained(email: Email) -> dict[str, Any]:
    """Postmark's complaint webhook."""
    return bounced(email, RecordType="SpamComplaint", Type="SpamComplaint", TypeCode=512)


@pytest.mark.usefixtures("postmark")
def test_a_hard_bounce_ends_the_email_and_holds_the_address_back(email: Email) -> None:
    assert post("postmark", bounced(email)).status_code == 200
    email.refresh_from_db()
    assert email.status == "bounced"
    assert email.outcome_reason.startswith("the mailbox does not exist (550 5.1.1 The email")
    row = Bounce.objects.get()
    assert (row.kind, row.source) == ("hard", "postmark")
    assert email.member.suppression_set.get().address == "max@acme.example"


@pytest.mark.usefixtures("postmark")
def test_a_full_mailbox_is_a_soft_bounce(email: Email) -> None:
    post("postmark", bounced(email, Type="SoftBounce", Details="smtp;552 5.2.2 over quota"))
    assert Bounce.objects.get().kind == "soft"
    assert not email.member.suppression_set.exists()


@pytest.mark.usefixtures("postmark")
def test_a_complaint_holds_the_address_back_and_leaves_the_email_sent(email: Email) -> None:
    post("postmark", complained(email))
    email.refresh_from_db()
    assert (email.status, email.member.suppression_set.get().kind) == ("sent", "complaint")


@pytest.mark.usefixtures("postmark")
def test_the_same_event_again_changes_nothing(email: Email) -> None:
    assert [post("postmark", bounced(email)).status_code for _ in range(2)] == [200, 200]
    assert Bounce.objects.count() == 1


@pytest.mark.usefixtures("postmark")
def test_what_the_service_calls_the_message_is_known_too(email: Email) -> None:
    DeliveryAttempt.objects.filter(email=email).update(remote_id="883953f4-6105")
    post("postmark", bounced(email, Metadata={}, MessageID="883953f4-6105"))
    assert Bounce.objects.get().email_id == email.pk


@pytest.mark.usefixtures("postmark")
@pytest.mark.parametrize(
    "changes",
    [
        {"Metadata": {"email": "1-aaaaaaaaaaaaaaaaaaaa"}},
        {"Metadata": {}, "MessageID": "unknown"},
        {"Type": "Transient"},
        {"RecordType": "Open"},
        {"RecordType": "Delivery"},
    ],
    ids=["forged", "of somebody else", "delayed", "opened", "delivered"],
)
def test_other_events_change_nothing(email: Email, changes: dict[str, Any]) -> None:
    assert post("postmark", bounced(email, **changes)).status_code == 200
    assert Bounce.objects.count() == 0


@pytest.mark.usefixtures("postmark")
@pytest.mark.parametrize("secret", ["", "postmark:wrong"])
def test_whoever_does_not_know_the_secret_is_refused(email: Email, secret: str) -> None:
    assert post("postmark", bounced(email), secret).status_code == 400
    assert Bounce.objects.count() == 0


@pytest.mark.usefixtures("postmark")
def test_only_the_configured_service_has_an_address(email: Email) -> None:
    assert post("mailgun", bounced(email)).status_code == 404
    assert post("unknown", bounced(email)).status_code == 404


def test_without_a_secret_there_is_no_address(email: Email) -> None:
    with configured("postmark://token@"):
        assert post("postmark", bounced(email), "").status_code == 404


def test_without_a_service_there_is_no_address(email: Email) -> None:
    assert post("postmark", bounced(email)).status_code == 404


def test_a_service_without_tracking_has_no_address(email: Email) -> None:
    with configured("scaleway://secret@?project_id=1", SECRET):
        assert post("scaleway", bounced(email)).status_code == 404


@pytest.mark.usefixtures("postmark")
def test_while_the_database_is_away_the_service_is_asked_to_come_again(
    email: Email, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*arguments: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(bounces, "take", away)
    response = post("postmark", bounced(email))
    assert (response.status_code, response["Retry-After"]) == (503, "30")


def mailgun_event(email: Email, key: str) -> dict[str, Any]:
    """Mailgun's webhook of a permanent failure, signed."""
    timestamp, nonce = "1772442033", "a8ce0edb2dd8301dee6c2405235584e45aa91d1e9f979f3de0"
    signature = hmac.new(key.encode(), f"{timestamp}{nonce}".encode(), hashlib.sha256)
    return {
        "signature": {
            "timestamp": timestamp, "token": nonce, "signature": signature.hexdigest()
        },
        "event-data": {
            "id": "G9Bn5sl1TC6nu79C8C0bwg", "event": "failed", "severity": "permanent",
            "reason": "bounce", "timestamp": 1772442033.1, "recipient": "max@acme.example",
            "user-variables": {"email": token(email.pk)}, "tags": [],
            "delivery-status": {
                "code": 550, "attempt-no": 1, "description": "",
                "message": "5.1.1 <max@acme.example>: User unknown",
            },
            "message": {"headers": {"message-id": "alert@platform.example"}},
        },
    }  # fmt: skip


@pytest.mark.parametrize(("key", "status", "rows"), [(SIGNING_KEY, 200, 1), ("wrong", 400, 0)])
def test_a_service_that_signs_needs_no_other_secret(
    email: Email, key: str, status: int, rows: int
) -> None:
    url = f"mailgun://key@mg.platform.example?webhook_signing_key={SIGNING_KEY}"
    with configured(url):
        assert post("mailgun", mailgun_event(email, key), "").status_code == status
    assert Bounce.objects.count() == rows


@pytest.mark.parametrize(
    ("event_type", "reject_reason", "words", "expected"),
    [
        ("bounced", "bounced", "550 5.1.1 User unknown", HARD),
        ("bounced", "bounced", "552 5.2.2 over quota", SOFT),
        ("bounced", "bounced", "", SOFT),  # no words of a server: not the end of an address
        ("bounced", "blocked", "554 5.7.1 blocked", SOFT),
        ("bounced", "invalid", "", HARD),
        ("rejected", "bounced", "", HARD),  # on the service's own list
        ("rejected", "invalid", "", HARD),
        ("rejected", "spam", "", COMPLAINT),
        ("rejected", "blocked", "", SOFT),
        ("failed", "other", "", SOFT),
        ("complained", "spam", "", COMPLAINT),
        ("deferred", None, "451 4.3.0", None),
        ("opened", None, "", None),
        ("autoresponded", None, "", None),
    ],
)
def test_what_an_event_says(
    event_type: str, reject_reason: str | None, words: str, expected: BounceKind | None
) -> None:
    event = AnymailTrackingEvent(
        event_type=event_type, reject_reason=reject_reason, mta_response=words
    )
    report = report_of(event, "esp")
    assert (report and report.kind) == expected


def test_the_description_counts_where_there_are_no_words_of_a_server() -> None:
    event = SimpleNamespace(
        event_type="bounced", reject_reason="bounced", mta_response=None,
        description="550 No such user",
    )  # fmt: skip
    report = report_of(event, "esp")
    assert report is not None
    assert report.kind is HARD
