"""Email services as mailers: django-anymail's own backends against a real HTTP server."""

import dataclasses
import logging
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from tests.esp_server import EspServer, Request
from tests.world import World

from integration_alerts.mail.email_url import parse_email_url
from integration_alerts.mail.esp import EspMailer
from integration_alerts.mail.esp_url import Esp, form
from integration_alerts.mail.esps import ESPS
from integration_alerts.mail.lanes import Lanes
from integration_alerts.mail.mailers import Parcel
from integration_alerts.mail.models import DeliveryAttempt, Email
from integration_alerts.mail.return_path import read_token
from integration_alerts.rules.circuit import opens
from integration_alerts.rules.retry import Answer, Phase, Verdict, acceptance_unknown, verdict

TO = "ada@acme.example"
TOKEN = "1042-l2fd6kxjy2rtmzl3o5qa"
KEY = "sECRET-k3y"


@dataclass(frozen=True)
class Service:
    """How a URL begins, what the service says when it takes a mail over, and what it calls it."""

    url: str
    taken: tuple[int, Any]
    remote_id: str | None = "m1"  # None: made up anew each time
    headers: tuple[tuple[str, str], ...] = ()


SERVICES = {
    "brevo": Service(f"brevo://{KEY}@?", (201, {"messageId": "m1"})),
    "mailersend": Service(f"mailersend://{KEY}@?", (202, ""), headers=(("X_Message_Id", "m1"),)),
    "mailgun": Service(
        f"mailgun://{KEY}@platform.example?", (200, {"id": "m1", "message": "Queued. Thank you."})
    ),
    "mailjet": Service(
        f"mailjet://public:{KEY}@?",
        (200, {"Messages": [{"Status": "success", "To": [{"Email": TO, "MessageID": "m1"}]}]}),
    ),
    "mailtrap": Service(f"mailtrap://{KEY}@?", (200, {"success": True, "message_ids": ["m1"]})),
    "mandrill": Service(
        f"mandrill://{KEY}@?", (200, [{"email": TO, "status": "sent", "_id": "m1"}])
    ),
    "postal": Service(
        f"postal://{KEY}@?",
        (200, {"status": "success", "data": {"messages": {TO: {"id": "m1"}}}}),
    ),
    "postmark": Service(
        f"postmark://{KEY}@?",
        (200, {"ErrorCode": 0, "Message": "OK", "MessageID": "m1", "To": TO}),
    ),
    "resend": Service(f"resend://{KEY}@?", (200, {"id": "m1"})),
    "scaleway": Service(
        f"scaleway://{KEY}@?project_id=p1&",
        (200, {"emails": [{"mail_rcpt": TO, "id": "m1", "status": "sending"}]}),
    ),
    "sendgrid": Service(f"sendgrid://{KEY}@?", (202, ""), remote_id=None),
    "ses": Service(f"ses://AKIAEXAMPLE:{KEY}@eu-north-1?", (200, {"MessageId": "m1"})),
    "sparkpost": Service(
        f"sparkpost://{KEY}@?",
        (
            200,
            {
                "results": {
                    "total_accepted_recipients": 1, "total_rejected_recipients": 0, "id": "m1",
                }
            },
        ),
    ),
    "unisender-go": Service(
        f"unisender-go://{KEY}@?", (200, {"job_id": "j1", "emails": [TO]}), remote_id=None
    ),
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[EspServer]:
    with EspServer() as running:
        yield running


@pytest.fixture(scope="module")
def mail() -> bytes:
    """A mail as we write them."""
    message = EmailMessage(policy=SMTP)
    message["From"] = "Café Alerts <alerts@platform.example>"
    message["To"] = f"Ada Lovelace <{TO}>"
    message["Reply-To"] = "help@platform.example"
    message["Subject"] = "Sign-in to Büro failed ✓"
    message["Date"] = "Mon, 02 Mar 2026 09:00:00 +0000"
    message["Message-ID"] = "<m-1042@platform.example>"
    message["In-Reply-To"] = "<i-7@platform.example>"
    message["References"] = "<i-7@platform.example>"
    message["List-Id"] = "Acme <acme.platform.example>"
    message["List-Unsubscribe"] = "<https://alerts.example/unsubscribe/t0k3n>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content("Words for Ada: 😀\n")
    message.add_alternative("<p>Words for Ada: <b>😀</b></p>\n", subtype="html")
    return message.as_bytes()


def mailer_at(server: EspServer, name: str) -> EspMailer:
    esp = parse_email_url(f"{SERVICES[name].url}api_url={server.url.replace(':', '%3A')}")
    assert isinstance(esp, Esp)
    return EspMailer(esp)


def send(server: EspServer, name: str, mail: bytes) -> Answer:
    mailer = mailer_at(server, name)
    try:
        return mailer.send(Parcel("bounces@platform.example", TO, mail, TOKEN))
    finally:
        mailer.close()


def taking(server: EspServer, name: str) -> None:
    service = SERVICES[name]
    server.answer(*service.taken, **dict(service.headers))


def header(request: Request, name: str) -> str:
    """A header that the service is asked to write, however it takes headers."""
    for holder in (request.data, request.data.get("message"), request.data.get("content"),
                   request.data.get("Globals")):  # fmt: skip
        if isinstance(holder, dict):
            headers = holder.get("headers") or holder.get("Headers")
            headers = headers or holder.get("additional_headers")
            if isinstance(headers, list):
                headers = {next(iter(pair.values())): list(pair.values())[1] for pair in headers}
            if headers and name in headers:
                return str(headers[name])
    return "".join(request.data.get(f"h:{name}", ()))  # Mailgun


def test_every_service_of_the_table_is_tried_here() -> None:
    assert SERVICES.keys() == ESPS.keys()


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_takes_over_is_accepted_and_its_id_kept(
    server: EspServer, mail: bytes, name: str
) -> None:
    taking(server, name)
    answer = send(server, name, mail)
    assert (answer.phase, answer.code) == (Phase.ACCEPTANCE, 250)
    assert verdict(answer) is Verdict.ACCEPTED
    expected = SERVICES[name].remote_id
    assert answer.remote_id == expected if expected else len(answer.remote_id) > 20
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"ses"}))
def test_a_service_is_told_the_whole_mail(server: EspServer, mail: bytes, name: str) -> None:
    taking(server, name)
    send(server, name, mail)
    (request,) = server.requests
    for said in ("Sign-in to Büro failed ✓", "Words for Ada: 😀", "<b>😀</b>", TO, "Ada Lovelace",
                 "Café Alerts", "alerts@platform.example", "help@platform.example"):  # fmt: skip
        assert said in request.everything
    for field in ("References", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post",
                  "Auto-Submitted"):  # fmt: skip
        assert header(request, field)
    assert "<i-7@platform.example>" in request.everything
    assert ("m-1042@" in request.everything) is (name != "mailjet")
    assert "Mon, 02 Mar" not in request.everything


def test_amazon_gets_the_mail_as_it_is(server: EspServer, mail: bytes) -> None:
    taking(server, "ses")
    send(server, "ses", mail)
    (request,) = server.requests
    assert request.data["Destination"] == {"ToAddresses": [TO]}
    message = request.raw_message
    assert message["Message-ID"] == "<m-1042@platform.example>"
    assert message["Date"] == "Mon, 02 Mar 2026 09:00:00 +0000"
    assert message["X-Metadata"] == f'{{"email": "{TOKEN}"}}'
    assert message.get_body(("plain",)).get_content() == "Words for Ada: 😀\n"
    assert KEY not in request.everything
    assert "AKIAEXAMPLE" in request.headers["authorization"]
    assert "eu-north-1" in request.headers["authorization"]


@pytest.mark.parametrize("name", SERVICES)
def test_webhooks_will_name_the_email_where_the_service_can(
    server: EspServer, mail: bytes, name: str
) -> None:
    taking(server, name)
    send(server, name, mail)
    (request,) = server.requests
    said = str(request.raw_message) if name == "ses" else request.everything
    assert (TOKEN in said) is ESPS[name].takes_reference
    assert ESPS[name].takes_reference is (name not in ("mailersend", "postal"))


@pytest.mark.parametrize("name", SERVICES)
def test_a_mail_of_the_pages_has_nothing_to_name(server: EspServer, mail: bytes, name: str) -> None:
    taking(server, name)
    mailer = mailer_at(server, name)
    assert verdict(mailer.send(Parcel("a@platform.example", TO, mail))) is Verdict.ACCEPTED
    mailer.close()
    (request,) = server.requests
    said = str(request.raw_message) if name == "ses" else request.everything
    assert not {"X-Metadata", "EventPayload", "custom_variables"} & set(said.split('"'))


TRACKING = {
    "mailersend": '"settings": {"track_clicks": false, "track_opens": false}',
    "mailgun": '"o:tracking-clicks": ["no"], "o:tracking-opens": ["no"]',
    "mailjet": '"TrackClicks": "disabled", "TrackOpens": "disabled"',
    "mandrill": '"track_clicks": false, "track_opens": false',
    "postmark": '"TrackLinks": "None", "TrackOpens": false',
    "sendgrid": '"click_tracking": {"enable": false}, "open_tracking": {"enable": false}',
    "sparkpost": '"options": {"click_tracking": false, "open_tracking": false}',
    "unisender-go": '"track_links": 0, "track_read": 0',
}


@pytest.mark.parametrize("name", TRACKING)
def test_nobody_is_tracked(server: EspServer, mail: bytes, name: str) -> None:
    taking(server, name)
    send(server, name, mail)
    assert TRACKING[name] in server.requests[0].everything


def test_every_service_that_can_is_told_not_to_track() -> None:
    assert {name for name, kind in ESPS.items() if kind.tracks_by_message} == TRACKING.keys()


def test_postmark_keeps_our_message_id(server: EspServer, mail: bytes) -> None:
    taking(server, "postmark")
    send(server, "postmark", mail)
    assert {"Name": "X-PM-KeepID", "Value": "true"} in server.requests[0].data["Headers"]


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_about_the_mailer_and_its_words_are_kept_without_it(
    server: EspServer, mail: bytes, name: str, status: int
) -> None:
    server.answer(status, {"message": f"the key {KEY} is unknown"})
    answer = send(server, name, mail)
    assert (answer.phase, answer.code) == (Phase.AUTH, 535)
    assert opens(answer)
    assert "is unknown" in answer.text
    assert KEY not in answer.text


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("mailgun", 404, {"message": "Domain not found: platform.example"}),
        ("postmark", 422, {"ErrorCode": 400, "Message": "The From address is no signature."}),
        ("mandrill", 500, {"status": "error", "code": -1, "name": "Invalid_Key"}),
        ("postal", 200, {"status": "error", "data": {"code": "InvalidServerAPIKey"}}),
        ("brevo", 400, {"code": "not_enough_credits", "message": "no credits"}),
        ("sendgrid", 402, "pay"),
    ],
)
def test_what_no_email_would_escape_is_about_the_mailer(
    server: EspServer, mail: bytes, name: str, status: int, body: Any
) -> None:
    server.answer(status, body)
    assert opens(send(server, name, mail))


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("mandrill", 200, [{"email": TO, "status": "rejected", "reject_reason": "hard-bounce"}]),
        ("mandrill", 200, [{"email": TO, "status": "invalid"}]),
        ("postmark", 422, {"ErrorCode": 406, "Message": "You tried to send to a recipient that has "
                           f"been marked as inactive. Found inactive addresses: {TO}. Inactive "
                           "recipients are ones that have generated a hard bounce."}),
        ("sparkpost", 200, {"results": {"total_accepted_recipients": 0,
                                        "total_rejected_recipients": 1, "id": "m1"}}),
        ("unisender-go", 200, {"emails": [], "failed_emails": {TO: "unsubscribed"}}),
    ],
)  # fmt: skip
def test_a_refused_recipient_ends_the_email(
    server: EspServer, mail: bytes, name: str, status: int, body: Any
) -> None:
    server.answer(status, body)
    answer = send(server, name, mail)
    assert (answer.phase, answer.code) == (Phase.RECIPIENT, 550)
    assert verdict(answer) is Verdict.PERMANENT


@pytest.mark.parametrize("name", ["brevo", "mailgun", "resend", "sendgrid", "sparkpost"])
@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_request_that_is_no_good_ends_the_email(
    server: EspServer, mail: bytes, name: str, status: int
) -> None:
    server.answer(status, {"message": "'to' parameter is not a valid address"})
    answer = send(server, name, mail)
    assert verdict(answer) is Verdict.PERMANENT
    assert f"HTTP {status}" in answer.text
    assert "not a valid address" in answer.text


@pytest.mark.parametrize("name", SERVICES)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_service_is_asked_again(
    server: EspServer, mail: bytes, name: str, status: int
) -> None:
    server.answer(status, "slow down")
    answer = send(server, name, mail)
    assert verdict(answer) is Verdict.TRANSIENT
    assert not opens(answer)
    assert not acceptance_unknown(answer)
    assert len(server.requests) == 1


@pytest.mark.parametrize("name", ["postmark", "ses", "resend"])
@pytest.mark.parametrize("status", [0, 500, 502, 504])
def test_where_nobody_knows_whether_it_was_taken_over_the_answer_says_so(
    server: EspServer, mail: bytes, name: str, status: int
) -> None:
    server.answer(status, "oops")
    answer = send(server, name, mail)
    assert acceptance_unknown(answer)
    assert verdict(answer) is Verdict.TRANSIENT


def test_an_answer_that_is_not_understood_may_be_an_acceptance(
    server: EspServer, mail: bytes
) -> None:
    server.answer(200, "<html>")
    assert acceptance_unknown(send(server, "resend", mail))


@pytest.mark.parametrize("name", ["postmark", "ses"])
def test_a_service_that_cannot_be_reached_is_no_answer(mail: bytes, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    url = f"{SERVICES[name].url}api_url=http%3A//127.0.0.1%3A{port}"
    esp = parse_email_url(url)
    assert isinstance(esp, Esp)
    answer = EspMailer(esp).send(Parcel("", TO, mail))
    assert (answer.phase, answer.code) == (Phase.CONNECT, None)
    assert KEY not in answer.text


@pytest.mark.parametrize("name", ["postmark", "ses"])
def test_tls_that_fails_is_about_the_mailer(server: EspServer, mail: bytes, name: str) -> None:
    esp = parse_email_url(
        f"{SERVICES[name].url}api_url={server.url.replace('http:', 'https:').replace(':', '%3A')}"
    )
    assert isinstance(esp, Esp)
    answer = EspMailer(esp).send(Parcel("", TO, mail))
    assert answer.phase is Phase.TLS
    assert opens(answer)


def test_an_address_that_the_service_cannot_write_ends_the_email(
    server: EspServer, mail: bytes
) -> None:
    mailer = mailer_at(server, "scaleway")
    answer = mailer.send(Parcel("", "jürgen@acme.example", mail))
    mailer.close()
    assert verdict(answer) is Verdict.PERMANENT
    assert not server.requests


def test_a_connection_is_kept_for_the_next_email(server: EspServer, mail: bytes) -> None:
    taking(server, "postmark")
    mailer = mailer_at(server, "postmark")
    for _ in range(3):
        mailer.send(Parcel("", TO, mail))
    mailer.close()
    assert (len(server.requests), server.connections) == (3, 1)


def test_a_closed_mailer_still_sends_and_keeps_no_connection(
    server: EspServer, mail: bytes
) -> None:
    taking(server, "postmark")
    mailer = mailer_at(server, "postmark")
    mailer.close()
    for _ in range(2):
        mailer.send(Parcel("", TO, mail))
    assert server.connections == 2


def test_nothing_secret_is_in_a_name_a_repr_or_the_log(
    server: EspServer, mail: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.answer(500, {"key": KEY})
    mailer = mailer_at(server, "mandrill")
    mailer.send(Parcel("", TO, mail))
    esp = parse_email_url(f"mandrill://{KEY}@")
    assert KEY not in repr(esp) + mailer.name + caplog.text
    mailer.close()


def test_another_key_makes_another_name() -> None:
    names = {EspMailer(parse_email_url(f"postmark://{key}@")).name  # type: ignore[arg-type]
             for key in ("key-number-1", "key-number-2")}  # fmt: skip
    assert len(names) == 2
    assert all(name.startswith("Postmark (") for name in names)


@pytest.mark.parametrize("name", ESPS)
def test_every_service_has_a_form_that_its_url_follows(name: str) -> None:
    assert form(name).startswith(f"{name}://<")


@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("mailjet", 400, {"Messages": [{"Status": "error"}]}),
        ("postmark", 422, {"ErrorCode": 300, "Message": "Invalid 'To' address: 'x@y.example'."}),
    ],
)
def test_what_a_service_does_not_explain_is_tried_again(
    server: EspServer, mail: bytes, name: str, status: int, body: Any
) -> None:
    server.answer(status, body)
    answer = send(server, name, mail)
    assert (answer.phase, answer.code) == (Phase.ACCEPTANCE, 451)


@pytest.mark.parametrize("body", [[], {"errors": [{"code": "1902"}]}, {"errors": "many"}, "no"])
def test_errors_are_read_in_whatever_form(server: EspServer, mail: bytes, body: Any) -> None:
    server.answer(400, body)
    assert verdict(send(server, "sparkpost", mail)) is Verdict.PERMANENT


def test_a_mail_that_the_service_cannot_put_together_ends(server: EspServer, mail: bytes) -> None:
    two = mail.replace(b"\r\nTo:", b", b@platform.example\r\nTo:", 1)
    answer = send(server, "resend", two)
    assert verdict(answer) is Verdict.PERMANENT
    assert "multiple from emails" in answer.text
    assert not server.requests


def test_amazon_without_credentials_is_about_the_mailer(
    server: EspServer, mail: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    esp = parse_email_url(f"ses://eu-north-1?api_url={server.url.replace(':', '%3A')}")
    assert isinstance(esp, Esp)
    answer = EspMailer(esp).send(Parcel("", TO, mail))
    assert answer.phase is Phase.AUTH
    assert opens(answer)


def test_amazon_is_told_the_configuration_set(server: EspServer, mail: bytes) -> None:
    taking(server, "ses")
    url = f"{SERVICES['ses'].url}api_url={server.url.replace(':', '%3A')}"
    esp = parse_email_url(f"{url}&configuration_set_name=alerts")
    assert isinstance(esp, Esp)
    mailer = EspMailer(esp)
    mailer.send(Parcel("", TO, mail))
    mailer.close()
    assert server.requests[0].data["ConfigurationSetName"] == "alerts"


@pytest.mark.django_db
def test_an_alert_goes_out_by_a_service_and_webhooks_will_find_it(
    server: EspServer, world: World
) -> None:
    world.queue(1)
    taking(server, "postmark")
    mailer = mailer_at(server, "postmark")
    Lanes(dataclasses.replace(world.courier(), mailer=mailer)).run()
    mailer.close()
    (request,) = server.requests
    email = Email.objects.get()
    assert email.status == "sent"
    assert email.subject in request.everything
    assert read_token(request.data["Metadata"]["email"]) == email.pk
    assert DeliveryAttempt.objects.get().remote_id == "m1"
