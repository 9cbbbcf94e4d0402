"""SMTP sending to servers that refuse, fall silent, hang up or talk nonsense, in every phase."""

import time
from collections.abc import Callable

import pytest
from tests.scripted_server import Conversation, ScriptedServer
from tests.smtp_client import PATIENT, SHORT, mailer_to, send
from tests.smtp_server import SmtpServer

from integration_alerts.mail.email_url import MailServer, Security
from integration_alerts.mail.smtp import SmtpMailer, Timeouts
from integration_alerts.rules.retry import Answer, Phase, Verdict, acceptance_unknown, verdict

CONVERSATION = [Phase.GREETING, Phase.SENDER, Phase.RECIPIENT, Phase.DATA, Phase.ACCEPTANCE]
REFUSABLE = {
    "greeting": Phase.GREETING,
    "ehlo": Phase.GREETING,
    "sender": Phase.SENDER,
    "recipient": Phase.RECIPIENT,
    "data": Phase.DATA,
    "acceptance": Phase.ACCEPTANCE,
}


def send_to(script: Callable[[Conversation], None], timeouts: Timeouts = PATIENT) -> Answer:
    with ScriptedServer(script) as server, mailer_to(server, timeouts=timeouts) as mailer:
        return send(mailer)


def up_to(phase: Phase, client: Conversation) -> None:
    """Be a good server until the client waits for the answer of this phase."""
    if phase is Phase.GREETING:
        return
    client.greet()
    client.hear()
    for done, reply in (
        (Phase.SENDER, "250 ok"),
        (Phase.RECIPIENT, "250 ok"),
        (Phase.DATA, "354 go ahead"),
    ):
        if phase is done:
            return
        client.say(reply)
        if done is not Phase.DATA:
            client.hear()
    client.hear_body()


@pytest.mark.parametrize("where", REFUSABLE)
@pytest.mark.parametrize("refusal", ["421 4.3.2 closing", "450 4.2.0 later", "554 5.7.1 never"])
def test_a_refusal_names_its_phase_and_the_next_email_is_fine(where: str, refusal: str) -> None:
    with SmtpServer() as server, mailer_to(server) as mailer:
        server.respond(**{where: refusal})
        answer = send(mailer)
        server.respond(**{where: None})
        if where == "ehlo" and refusal.startswith("554"):
            assert verdict(answer) is Verdict.ACCEPTED, "HELO is the way out"
        else:
            assert answer == Answer(REFUSABLE[where], int(refusal[:3]), refusal[4:])
            assert verdict(send(mailer)) is Verdict.ACCEPTED
        assert len(server.messages) == 1


@pytest.mark.parametrize("phase", CONVERSATION)
def test_silence_ends_the_attempt_in_its_phase(phase: Phase) -> None:
    def script(client: Conversation) -> None:
        up_to(phase, client)
        client.silence()

    answer = send_to(script, SHORT)
    assert answer == Answer(phase, None, "no answer within 0.3 seconds")
    assert verdict(answer) is Verdict.TRANSIENT
    assert acceptance_unknown(answer) == (phase is Phase.ACCEPTANCE)


@pytest.mark.parametrize("phase", CONVERSATION)
@pytest.mark.parametrize("how", [Conversation.cut, Conversation.reset])
def test_a_cut_connection_ends_the_attempt_in_its_phase(
    phase: Phase, how: Callable[[Conversation], None]
) -> None:
    def script(client: Conversation) -> None:
        up_to(phase, client)
        how(client)

    answer = send_to(script)
    assert answer.code is None
    # A reset right after the connection came about may be seen as one or the other.
    assert answer.phase is phase or (answer.phase, phase) == (Phase.CONNECT, Phase.GREETING)
    assert answer.text in ("the server closed the connection", "Connection reset by peer")
    assert acceptance_unknown(answer) == (phase is Phase.ACCEPTANCE)


@pytest.mark.parametrize("phase", CONVERSATION)
@pytest.mark.parametrize(
    "nonsense", [b"", b"\xff\xfe\x00", b"25", b"hello", b"2500 no", b"250_ok", b"-1 no"]
)
def test_what_is_not_smtp_counts_as_no_answer(phase: Phase, nonsense: bytes) -> None:
    def script(client: Conversation) -> None:
        up_to(phase, client)
        client.say(nonsense)

    answer = send_to(script)
    assert (answer.phase, answer.code) == (phase, None)
    assert answer.text.startswith("the answer is not SMTP:")
    assert acceptance_unknown(answer) == (phase is Phase.ACCEPTANCE)


@pytest.mark.parametrize(
    ("reply", "code", "text"),
    [
        ([b"450"], 450, ""),
        ([b"450 \xc3\xa9\xff \x1b[31mred\x00\x07"], 450, "é\ufffd \ufffd[31mred\ufffd\ufffd"),
        ([b"550-no", b"550-  such", b"550 user"], 550, "no such user"),
        ([b"550 " + b"x" * 60_000], 550, "x" * 500),
        ([b"550-" + b"y" * 100] * 500 + [b"550 end"], 550, ("y" * 100 + " ") * 4 + "y" * 96),
        ([b"550-no", b"250 mixed"], 250, "no mixed"),
    ],
    ids=["bare code", "weird bytes", "several lines", "long line", "many lines", "mixed codes"],
)  # fmt: skip
def test_any_answer_becomes_one_short_line(reply: list[bytes], code: int, text: str) -> None:
    def script(client: Conversation) -> None:
        up_to(Phase.ACCEPTANCE, client)
        client.say(*reply)
        client.cut()

    assert send_to(script) == Answer(Phase.ACCEPTANCE, code, text)


@pytest.mark.parametrize("flood", [b"250-more and more\r\n", b"2" * 4096])
def test_an_endless_answer_is_given_up(flood: bytes) -> None:
    def script(client: Conversation) -> None:
        up_to(Phase.SENDER, client)
        while True:
            client.sock.sendall(flood)

    answer = send_to(script)
    assert answer == Answer(Phase.SENDER, None, "the answer is longer than 65536 bytes")


def test_an_answer_drop_by_drop_does_not_stretch_the_time() -> None:
    def script(client: Conversation) -> None:
        up_to(Phase.SENDER, client)
        while True:
            client.say("250-wait")
            time.sleep(0.1)

    started = time.monotonic()
    answer = send_to(script, SHORT)
    assert answer == Answer(Phase.SENDER, None, "no answer within 0.3 seconds")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("phase", "reply"),
    [(Phase.SENDER, "354 what?"), (Phase.RECIPIENT, "354 what?"), (Phase.DATA, "250 what?")],
)
def test_an_answer_that_belongs_elsewhere_ends_session_and_attempt(
    phase: Phase, reply: str
) -> None:
    def script(client: Conversation) -> None:
        up_to(phase, client)
        client.say(reply)
        client.hear()
        pytest.fail("the client went on")

    answer = send_to(script)
    assert (answer.phase, answer.code) == (phase, int(reply[:3]))
    assert verdict(answer) is Verdict.TRANSIENT


def test_a_refusal_in_the_middle_of_the_body_is_heard() -> None:
    def script(client: Conversation) -> None:
        up_to(Phase.DATA, client)
        client.say("354 go ahead")
        client.sock.recv(1000)
        client.say("552 5.3.4 too large")
        client.cut()

    with ScriptedServer(script) as server, mailer_to(server) as mailer:
        answer = send(mailer, b"x" * 50_000_000)  # more than the socket's buffers hold
    assert answer == Answer(Phase.DATA, 552, "5.3.4 too large")
    assert verdict(answer) is Verdict.PERMANENT


def test_a_body_that_the_server_does_not_take_was_not_accepted() -> None:
    def script(client: Conversation) -> None:
        up_to(Phase.DATA, client)
        client.say("354 go ahead")
        time.sleep(2)

    with ScriptedServer(script) as server, mailer_to(server, timeouts=SHORT) as mailer:
        answer = send(mailer, b"x" * 50_000_000)
    assert answer == Answer(Phase.DATA, None, "no answer within 0.3 seconds")
    assert not acceptance_unknown(answer)


def test_nobody_listens() -> None:
    with SmtpServer() as server:
        pass
    with mailer_to(server) as mailer:
        for answer in (send(mailer), mailer.check()):
            assert answer == Answer(Phase.CONNECT, None, "Connection refused")
            assert verdict(answer) is Verdict.TRANSIENT


@pytest.mark.parametrize("host", ["mail..test", "a" * 64 + ".test", "host.invalid"])
def test_a_host_that_does_not_exist(host: str) -> None:
    mailer = SmtpMailer(MailServer(host, 25, Security.STARTTLS_IF_OFFERED, None, None))
    answer = send(mailer)
    assert (answer.phase, answer.code) == (Phase.CONNECT, None)


def test_an_acceptance_that_was_lost_leads_to_the_same_bytes_again() -> None:
    with SmtpServer() as server, mailer_to(server, timeouts=SHORT) as mailer:
        server.delay = 5
        lost = send(mailer)
        server.delay = 0
        assert acceptance_unknown(lost)
        assert verdict(send(mailer)) is Verdict.ACCEPTED
        first, second = server.messages
        assert first.data == second.data
        assert first.message["Message-ID"] == second.message["Message-ID"] == "<1@example.test>"
