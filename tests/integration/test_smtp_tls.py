"""SMTP sending over TLS: what is encrypted, and which servers are trusted."""

import socket

import pytest
from tests.certificates import certificates
from tests.scripted_server import Conversation, ScriptedServer
from tests.smtp_client import SHORT, mailer_to, send
from tests.smtp_server import SmtpServer

from integration_alerts.mail.email_url import Security
from integration_alerts.rules.retry import Answer, Phase, Verdict, verdict


@pytest.mark.parametrize("security", [Security.STARTTLS_IF_OFFERED, Security.STARTTLS])
def test_starttls_is_used_when_offered(security: Security) -> None:
    with (
        SmtpServer(tls_context=certificates().right, require_starttls=True) as server,
        mailer_to(server, security, trusting=certificates().client) as mailer,
    ):
        for _ in range(3):
            assert verdict(send(mailer)) is Verdict.ACCEPTED
        assert server.connections == 1
        assert server.commands.count("EHLO") == 2, "RFC 3207: introduce yourself again"
        assert mailer.check().code == 250


def test_tls_from_the_start() -> None:
    with (
        SmtpServer(
            tls_context=certificates().right, implicit_tls=True, auth=("ann", "secret")
        ) as server,
        mailer_to(
            server, Security.TLS, ("ann", "secret"), trusting=certificates().client
        ) as mailer,
    ):
        assert verdict(send(mailer)) is Verdict.ACCEPTED
        server.down()
        assert send(mailer).phase is Phase.CONNECT
        server.up()
        assert verdict(send(mailer)) is Verdict.ACCEPTED


@pytest.mark.parametrize("implicit_tls", [True, False])
def test_a_certificate_of_an_unknown_authority_is_refused(implicit_tls: bool) -> None:
    security = Security.TLS if implicit_tls else Security.STARTTLS_IF_OFFERED
    with (
        SmtpServer(tls_context=certificates().right, implicit_tls=implicit_tls) as server,
        mailer_to(server, security) as mailer,
    ):
        answer = send(mailer)
        assert server.messages == []
    assert (answer.phase, answer.code) == (Phase.TLS, None)
    assert answer.text.startswith("the server's certificate is not trusted: ")
    assert verdict(answer) is Verdict.TRANSIENT


@pytest.mark.parametrize("implicit_tls", [True, False])
def test_a_certificate_for_another_host_is_refused(implicit_tls: bool) -> None:
    security = Security.TLS if implicit_tls else Security.STARTTLS
    with (
        SmtpServer(tls_context=certificates().wrong_name, implicit_tls=implicit_tls) as server,
        mailer_to(server, security, trusting=certificates().client) as mailer,
    ):
        answer = send(mailer)
    assert (answer.phase, answer.code) == (Phase.TLS, None)
    assert "certificate is not valid for '127.0.0.1'" in answer.text


def test_required_tls_that_is_not_offered_ends_the_attempt() -> None:
    with SmtpServer() as server, mailer_to(server, Security.STARTTLS) as mailer:
        answer = send(mailer)
        assert server.messages == []
    assert answer == Answer(Phase.TLS, None, "EMAIL_URL requires TLS, but the server offers none")


@pytest.mark.parametrize("refusal", ["454 4.7.0 not now", "502 5.5.1 what?"])
def test_a_refused_starttls_ends_the_attempt(refusal: str) -> None:
    def script(client: Conversation) -> None:
        client.greet("STARTTLS")
        assert client.hear() == "STARTTLS"
        client.say(refusal)

    with ScriptedServer(script) as server, mailer_to(server) as mailer:
        answer = send(mailer)
    assert answer == Answer(Phase.TLS, int(refusal[:3]), refusal[4:])
    assert verdict(answer) is Verdict.TRANSIENT


@pytest.mark.parametrize("behaviour", ["silence", "cut", "reset", "nonsense"])
@pytest.mark.parametrize("security", [Security.TLS, Security.STARTTLS])
def test_a_broken_handshake_ends_the_attempt(behaviour: str, security: Security) -> None:
    def script(client: Conversation) -> None:
        if security is Security.STARTTLS:
            client.greet("STARTTLS")
            client.hear()
            client.say("220 go ahead")
        if behaviour == "nonsense":
            client.say("250 this is no handshake")
        else:
            client.sock.recv(1)  # of the client's side of the handshake
            getattr(client, behaviour)()

    with ScriptedServer(script) as server, mailer_to(server, security, timeouts=SHORT) as mailer:
        answer = send(mailer)
    assert (answer.phase, answer.code) == (Phase.TLS, None)
    assert verdict(answer) is Verdict.TRANSIENT


def test_what_was_injected_before_the_handshake_is_forgotten() -> None:
    def serve(sock: socket.socket) -> None:
        sock.sendall(b"220 hello\r\n")
        sock.recv(1000)
        sock.sendall(b"250-hello\r\n250-SMTPUTF8\r\n250 STARTTLS\r\n")
        sock.recv(1000)
        sock.sendall(b"220 go ahead\r\n250-injected\r\n250 AUTH PLAIN\r\n")
        with certificates().right.wrap_socket(sock, server_side=True) as encrypted:
            heard.append(encrypted.recv(1000))
            encrypted.sendall(b"250 hello again\r\n")
            heard.append(encrypted.recv(1000))

    def script(client: Conversation) -> None:
        serve(client.sock)
        client.cut()

    heard: list[bytes] = []
    with (
        ScriptedServer(script) as server,
        mailer_to(
            server, Security.STARTTLS, ("ann", "secret"), trusting=certificates().client
        ) as mailer,
    ):
        answer = send(mailer)
    assert heard[0].lower().startswith(b"ehlo ")
    assert heard[1].lower() == b"quit\r\n"
    assert answer == Answer(Phase.AUTH, None, "the server offers no sign-in by PLAIN or LOGIN")
