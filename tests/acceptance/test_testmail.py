"""`testmail` and a real mail server: what arrives, and what is said when it is not taken."""

import pytest
from tests.esp_server import EspServer
from tests.installation import Installation, free_port
from tests.smtp_server import SmtpServer

TO = "max@acme.example"


def test_it_sends_one_mail_at_once_and_prints_the_servers_answer(
    installation: Installation, smtp: SmtpServer
) -> None:
    done = installation.command("testmail", TO)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"127.0.0.1:{smtp.port} took the mail to {TO}: 250 2.0.0 queued\n"
    (mail,) = smtp.messages
    assert mail.recipient == TO
    assert str(mail.message["Subject"]).startswith("Test: ")
    assert mail.message["List-Unsubscribe"] is None
    text = mail.message.get_body(("plain",)).get_content()
    assert text.startswith("Hello,")
    assert "an operator tests whether mail arrives at your" in text
    assert "Unsubscribe" not in text


@pytest.mark.parametrize(
    ("phase", "answer", "advice"),
    [
        ("recipient", "550 5.1.1 no such user", "check the address, and that the server takes"),
        ("sender", "553 5.7.1 not your address", "from the address in DEFAULT_FROM_EMAIL"),
        ("acceptance", "554 5.7.1 looks like spam", "ask whoever runs it, with these words"),
        ("recipient", "450 4.2.0 greylisted", "try again in some minutes"),
    ],
)
def test_a_server_that_refuses_it_is_told_in_its_words_with_what_to_do(
    installation: Installation, smtp: SmtpServer, phase: str, answer: str, advice: str
) -> None:
    smtp.respond(**{phase: answer})

    done = installation.command("testmail", TO)

    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert f"127.0.0.1:{smtp.port} did not take the mail to {TO}, in phase {phase}: {answer}; " in (
        line
    )
    assert advice in line
    assert smtp.messages == []


def test_a_server_that_nobody_answers_for_is_told_with_what_to_check(
    installation: Installation,
) -> None:
    installation.environment["EMAIL_URL"] = f"smtp://127.0.0.1:{free_port()}"

    done = installation.command("testmail", TO)

    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "in phase connect: Connection refused" in line
    assert "check the host and the port in EMAIL_URL" in line


def test_a_wrong_password_is_told_without_it(installation: Installation) -> None:
    with SmtpServer(auth=("alerts", "right")) as smtp:
        installation.environment["EMAIL_URL"] = f"smtp://alerts:wrong@127.0.0.1:{smtp.port}"
        done = installation.command("testmail", TO)

    assert done.returncode == 1
    assert "in phase auth: 535" in done.stderr
    assert "correct the user name, the password or the key in EMAIL_URL" in done.stderr
    assert "wrong" not in done.stderr


def test_a_service_is_asked_by_its_api_and_its_answer_is_told(installation: Installation) -> None:
    with EspServer() as server:
        installation.environment["EMAIL_URL"] = f"resend://a-k3y-of-ours@?api_url={server.url}"
        server.answer(200, {"id": "m1"})
        taken = installation.command("testmail", TO)
        server.answer(401, {"message": "API key is invalid"})
        refused = installation.command("testmail", TO)

    assert (taken.returncode, taken.stderr) == (0, "")
    assert f" took the mail to {TO}: 250 " in taken.stdout
    assert (refused.returncode, refused.stdout) == (1, "")
    (line,) = refused.stderr.splitlines()
    assert "API key is invalid" in line
    assert "the key in EMAIL_URL" in line


@pytest.mark.parametrize("address", ["nonsense", "a@b@c.example", "x@y.example\nBcc: z@y.example"])
def test_what_is_no_address_is_wrong_usage(installation: Installation, address: str) -> None:
    done = installation.command("testmail", address)

    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "ADDRESS: expected an e-mail address such as you@example.com" in line


def test_an_address_that_no_header_can_hold_is_wrong_usage(installation: Installation) -> None:
    done = installation.command("testmail", "m\u00adx@acme.example")

    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "ADDRESS: To cannot hold " in line


def test_without_an_address_it_says_how_it_is_called(installation: Installation) -> None:
    done = installation.command("testmail")

    assert done.returncode == 2
    assert "Missing argument 'ADDRESS'" in done.stderr
