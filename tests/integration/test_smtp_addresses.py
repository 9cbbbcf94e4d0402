"""SMTP sending: which addresses reach the wire, and how they are written there."""

from collections.abc import Iterator

import pytest
from tests.scripted_server import Conversation, ScriptedServer
from tests.smtp_client import MESSAGE, RECIPIENT, SENDER, SHORT, mailer_to, send
from tests.smtp_server import SmtpServer

from integration_alerts.mail.mailers import Parcel
from integration_alerts.mail.smtp import SmtpMailer
from integration_alerts.rules.retry import Phase, Verdict, verdict


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture
def mailer(server: SmtpServer) -> Iterator[SmtpMailer]:
    with mailer_to(server) as made:
        yield made


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.test\r\nRCPT TO:<eve@example.test>",
        "ann@example.test\n",
        "ann\r@example.test",
        "ann\0@example.test",
        "ann@example.test> NOTIFY=NEVER",
        "<ann@example.test>",
        "ann\N{LINE SEPARATOR}@example.test",
        "ann\udcff@example.test",
        "ann",
        "ann@",
        "@example.test",
        "a" * 242 + "@example.test",
        "é" * 121 + "@example.test",
    ],
)
def test_a_bad_address_never_reaches_the_wire(server: SmtpServer, address: str) -> None:
    with mailer_to(server) as mailer:
        answers = [
            mailer.send(Parcel(SENDER, address, MESSAGE)),
            mailer.send(Parcel(address, RECIPIENT, MESSAGE)),
        ]
    assert [(answer.phase, answer.code) for answer in answers] == [
        (Phase.RECIPIENT, 553),
        (Phase.SENDER, 553),
    ]
    assert {verdict(answer) for answer in answers} == {Verdict.PERMANENT}
    assert server.connections == 0


def test_the_longest_address_and_the_null_sender_are_fine() -> None:
    def script(client: Conversation) -> None:
        client.greet()
        client.say("250 ok" if client.hear() == "MAIL FROM:<>" else "500 what?")
        client.say("250 ok" if client.hear() == f"RCPT TO:<{longest}>" else "500 what?")

    longest = "a" * 241 + "@example.test"
    with ScriptedServer(script) as server, mailer_to(server, timeouts=SHORT) as mailer:
        assert mailer.send(Parcel("", longest, MESSAGE)).phase is Phase.DATA


def test_international_addresses_go_to_a_server_that_knows_them() -> None:
    with SmtpServer(smtputf8=True) as server, mailer_to(server) as mailer:
        answer = mailer.send(Parcel("störung@bücher.test", "你好@例え.test", "Grüße\r\n".encode()))
        assert verdict(answer) is Verdict.ACCEPTED
        mailer.send(Parcel(SENDER, RECIPIENT, MESSAGE))
    international, plain = server.messages
    assert international.sender == "störung@bücher.test"
    assert international.recipient == "你好@例え.test"
    assert {"SMTPUTF8", "BODY=8BITMIME"} <= set(international.parameters)
    assert "SMTPUTF8" not in plain.parameters


def test_an_international_domain_is_written_in_ascii_for_other_servers(
    server: SmtpServer, mailer: SmtpMailer
) -> None:
    answer = mailer.send(Parcel("alerts@Bücher.test", "ann@例え.test", MESSAGE))
    assert verdict(answer) is Verdict.ACCEPTED
    (received,) = server.messages
    assert received.sender == "alerts@xn--bcher-kva.test"
    assert received.recipient == "ann@xn--r8jz45g.test"


@pytest.mark.parametrize(
    ("recipient", "words"),
    [
        ("störung@example.test", "only ASCII characters before the @"),
        ("ann@straße.test", "no unambiguous ASCII form"),
        ("ann@é..test", "not an internationalised domain name"),
        ("ann@" + "é" * 60 + ".test", "not an internationalised domain name"),
    ],
)
def test_what_has_no_ascii_form_fails_in_plain_words(
    server: SmtpServer, mailer: SmtpMailer, recipient: str, words: str
) -> None:
    answer = send(mailer, recipient=recipient)
    assert (answer.phase, answer.code) == (Phase.RECIPIENT, 553)
    assert words in answer.text
    assert verdict(send(mailer)) is Verdict.ACCEPTED
    assert server.connections == 1
