"""SMTP sending over real connections: what is sent, byte for byte."""

import socket
from collections.abc import Iterator

import pytest
from tests.scripted_server import Conversation, ScriptedServer
from tests.smtp_client import MESSAGE, RECIPIENT, SENDER, mailer_to, send
from tests.smtp_server import SmtpServer

from integration_alerts.mail.email_url import parse_email_url
from integration_alerts.mail.smtp import SmtpMailer
from integration_alerts.rules.retry import Answer, Phase, Verdict, verdict


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture
def mailer(server: SmtpServer) -> Iterator[SmtpMailer]:
    with mailer_to(server) as made:
        yield made


def test_an_email_is_handed_in_as_it_is(server: SmtpServer, mailer: SmtpMailer) -> None:
    answer = send(mailer)
    assert answer == Answer(Phase.ACCEPTANCE, 250, "2.0.0 queued")
    assert verdict(answer) is Verdict.ACCEPTED
    (received,) = server.messages
    assert (received.sender, received.recipient) == (SENDER, RECIPIENT)
    assert received.data == MESSAGE


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (b".\r\n..\r\n.a\r\n\r\n.\r\nb\r\n", b".\r\n..\r\n.a\r\n\r\n.\r\nb\r\n"),
        (b"a\nb\n\n.\nc\n", b"a\r\nb\r\n\r\n.\r\nc\r\n"),
        (b"a\r\nb\nc\rd\r\n", b"a\r\nb\r\nc\r\nd\r\n"),
        (b"a\n.\r\nMAIL FROM:<x@x>", b"a\r\n.\r\nMAIL FROM:<x@x>\r\n"),
        (b"a\r.\rb", b"a\r\n.\r\nb\r\n"),
        (b"no line end", b"no line end\r\n"),
        (b"", b""),
        (b"x" * 998 + b"\r\n", b"x" * 998 + b"\r\n"),
        ("Grüße, 你好\r\n".encode(), "Grüße, 你好\r\n".encode()),
        (b"\x00\x80\xff\r\n", b"\x00\x80\xff\r\n"),
        (b"line\r\n" * 200_000, b"line\r\n" * 200_000),
    ],
    ids=[
        "dots", "LF", "mixed line ends", "smuggling by LF", "smuggling by CR", "no line end",
        "empty", "longest line", "8-bit", "binary", "large",
    ],
)  # fmt: skip
def test_the_bytes_arrive_exactly(
    server: SmtpServer, mailer: SmtpMailer, given: bytes, expected: bytes
) -> None:
    for _ in range(2):
        assert verdict(send(mailer, given)) is Verdict.ACCEPTED
    assert [received.data for received in server.messages] == [expected, expected]


def test_8_bit_and_size_are_announced() -> None:
    with SmtpServer(size_limit=1_000) as server, mailer_to(server) as mailer:
        send(mailer, "Grüße\r\n".encode())
        send(mailer, b"plain\r\n")
        too_large = send(mailer, b"x\r\n" * 500)
    assert [received.parameters for received in server.messages] == [
        ("SIZE=12", "BODY=8BITMIME"),
        ("SIZE=10",),
    ]
    assert (too_large.phase, too_large.code) == (Phase.SENDER, 552)
    assert verdict(too_large) is Verdict.PERMANENT


@pytest.mark.parametrize(
    ("local_hostname", "hostname", "introduction"),
    [
        ("alerts.example.test", "ignored", "ehlo alerts.example.test"),
        ("[IPv6:::1]", "ignored", "ehlo [IPv6:::1]"),
        (None, "host.example.test", "ehlo host.example.test"),
        (None, "host", "ehlo [127.0.0.1]"),
        (None, "our host.local", "ehlo [127.0.0.1]"),
    ],
)
def test_the_client_introduces_itself_without_asking_the_dns(
    monkeypatch: pytest.MonkeyPatch,
    local_hostname: str | None,
    hostname: str,
    introduction: str,
) -> None:
    def script(client: Conversation) -> None:
        client.say("220 hello")
        heard.append(client.hear())
        client.cut()

    heard: list[str] = []
    monkeypatch.setattr(socket, "gethostname", lambda: hostname)
    with (
        ScriptedServer(script) as server,
        mailer_to(server, local_hostname=local_hostname) as mailer,
    ):
        assert mailer.check().code is None
    assert heard == [introduction]


@pytest.mark.parametrize("name", ["", "two words", "line\r\nend", "bücher.test"])
def test_a_host_name_that_is_none_is_refused_at_once(name: str) -> None:
    with pytest.raises(ValueError, match="local_hostname"):
        SmtpMailer(parse_email_url("smtp://mail.test"), local_hostname=name)


def test_check_sends_nothing(server: SmtpServer, mailer: SmtpMailer) -> None:
    answer = mailer.check()
    assert answer.code == 250
    assert server.commands == ["EHLO", "NOOP", "QUIT"]
    assert server.messages == []
