"""SMTP sending with credentials, and where they must never go."""

import base64
import ipaddress
import socket

import pytest
from tests.certificates import certificates
from tests.scripted_server import Conversation, ScriptedServer
from tests.smtp_client import SHORT, mailer_to, send
from tests.smtp_server import SmtpServer

from integration_alerts.mail import smtp_wire
from integration_alerts.mail.email_url import Security
from integration_alerts.rules.retry import Answer, Phase, Verdict, verdict

PASSWORD = "pässword with : and %"
CREDENTIALS = ("ann", PASSWORD)


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_credentials_are_accepted_over_tls(mechanism: str) -> None:
    with (
        SmtpServer(
            tls_context=certificates().right,
            require_starttls=True,
            auth=CREDENTIALS,
            auth_mechanisms=[mechanism],
        ) as server,
        mailer_to(server, Security.STARTTLS, CREDENTIALS, trusting=certificates().client) as mailer,
    ):
        assert verdict(send(mailer)) is Verdict.ACCEPTED
        assert mailer.check().code == 250


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_wrong_password_is_told_and_fails_no_email_for_good(mechanism: str) -> None:
    with (
        SmtpServer(auth=CREDENTIALS, auth_mechanisms=[mechanism]) as server,
        mailer_to(server, credentials=("ann", "wrong")) as mailer,
    ):
        for answer in (send(mailer), mailer.check()):
            assert (answer.phase, answer.code) == (Phase.AUTH, 535)
            assert verdict(answer) is Verdict.TRANSIENT
        assert server.commands[-1] == "QUIT"


def test_missing_credentials_are_told_and_fail_no_email_for_good() -> None:
    with (
        SmtpServer(auth=CREDENTIALS) as server,
        mailer_to(server) as mailer,
    ):
        answer = send(mailer)
    assert (answer.phase, answer.code) == (Phase.SENDER, 530)
    assert verdict(answer) is Verdict.TRANSIENT


@pytest.mark.parametrize("offer", ["AUTH CRAM-MD5 XOAUTH2", "AUTH", "HELP"])
def test_no_known_way_to_sign_in_is_told(offer: str) -> None:
    with (
        ScriptedServer(lambda client: client.greet(offer)) as server,
        mailer_to(server, credentials=CREDENTIALS) as mailer,
    ):
        answer = send(mailer)
    assert answer == Answer(Phase.AUTH, None, "the server offers no sign-in by PLAIN or LOGIN")


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let loopback look like the network to the mailer."""
    monkeypatch.setattr(smtp_wire.SmtpWire, "peer_is_loopback", False)


@pytest.mark.usefixtures("far_away")
def test_a_password_never_goes_over_an_unencrypted_network() -> None:
    def script(client: Conversation) -> None:
        client.greet("AUTH PLAIN LOGIN")  # STARTTLS may have been stripped on the way
        heard.append(client.hear())

    heard: list[str] = []
    with (
        ScriptedServer(script) as server,
        mailer_to(server, credentials=CREDENTIALS) as mailer,
    ):
        answer = send(mailer)
    assert answer == Answer(
        Phase.AUTH, None, "the password is not sent: the connection is unencrypted"
    )
    assert verdict(answer) is Verdict.TRANSIENT
    assert heard == ["QUIT"]


@pytest.mark.usefixtures("far_away")
def test_a_password_goes_over_an_encrypted_network() -> None:
    with (
        SmtpServer(tls_context=certificates().right, auth=CREDENTIALS) as server,
        mailer_to(server, credentials=CREDENTIALS, trusting=certificates().client) as mailer,
    ):
        assert verdict(send(mailer)) is Verdict.ACCEPTED


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("behaviour", ["silence", "cut", "421 4.3.0 no", "454 4.7.0 later"])
def test_sign_in_that_fails_otherwise_ends_the_attempt(mechanism: str, behaviour: str) -> None:
    def script(client: Conversation) -> None:
        client.greet(f"AUTH {mechanism}")
        client.hear()
        if mechanism == "LOGIN":
            for prompt in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"):
                client.say(prompt)
                client.hear()
        if behaviour[0].isdigit():
            client.say(behaviour)
        else:
            getattr(client, behaviour)()

    with (
        ScriptedServer(script) as server,
        mailer_to(server, credentials=CREDENTIALS, timeouts=SHORT) as mailer,
    ):
        answer = send(mailer)
    assert answer.phase is Phase.AUTH
    assert answer.code == (int(behaviour[:3]) if behaviour[0].isdigit() else None)
    assert verdict(answer) is Verdict.TRANSIENT


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_a_server_that_quotes_the_password_does_not_get_it_into_the_answer(mechanism: str) -> None:
    def script(client: Conversation) -> None:
        client.greet(f"AUTH {mechanism}")
        heard = client.hear()
        if mechanism == "LOGIN":
            for prompt in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"):
                client.say(prompt)
                heard = client.hear()
        client.say(f"501 what is {heard!r}? You are not {PASSWORD}")

    encoded = base64.b64encode(PASSWORD.encode()).decode()
    with (
        ScriptedServer(script) as server,
        mailer_to(server, credentials=CREDENTIALS) as mailer,
    ):
        answer = send(mailer)
        assert PASSWORD not in repr(mailer)
    assert answer.code == 501
    assert answer.text.endswith("You are not ***")
    assert PASSWORD not in answer.text
    assert encoded not in answer.text
    assert base64.b64encode(f"\0ann\0{PASSWORD}".encode()).decode() not in answer.text


def test_the_peer_decides_what_is_loopback() -> None:
    with SmtpServer() as server, socket.create_connection((server.host, server.port)) as sock:
        wire = smtp_wire.SmtpWire(sock, "alerts.test")
        wire.allow(1)
        assert ipaddress.ip_address(sock.getpeername()[0]).is_loopback
        assert wire.peer_is_loopback
        wire.close()
        assert not wire.peer_is_loopback
