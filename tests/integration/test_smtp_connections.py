"""SMTP sending: how connections are kept, shared, replaced and given up."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.scripted_server import Conversation, ScriptedServer
from tests.smtp_client import mailer_to, send
from tests.smtp_server import SmtpServer

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


def test_many_emails_go_over_one_connection(server: SmtpServer, mailer: SmtpMailer) -> None:
    for _ in range(50):
        assert verdict(send(mailer)) is Verdict.ACCEPTED
    assert server.connections == 1
    assert server.commands.count("EHLO") == 1


def test_refusals_keep_the_connection(server: SmtpServer, mailer: SmtpMailer) -> None:
    for phase in ("sender", "recipient", "data", "acceptance"):
        for refusal in ("450 4.2.0 later", "550 5.1.1 never"):
            server.respond(**{phase: [refusal]})
            answer = send(mailer)
            assert (answer.phase, answer.code) == (phase, int(refusal[:3]))
    assert verdict(send(mailer)) is Verdict.ACCEPTED
    assert server.connections == 1
    assert len(server.messages) == 1


def test_each_of_8_threads_has_a_connection_and_keeps_it(
    server: SmtpServer, mailer: SmtpMailer
) -> None:
    threads, rounds = 8, 10
    together = threading.Barrier(threads)

    def work(number: int) -> list[Answer]:
        answers = []
        for each in range(rounds):
            together.wait(10)
            answers.append(send(mailer, recipient=f"{number}-{each}@example.test"))
        return answers

    server.delay = 0.1  # so that all threads are sending at once
    with ThreadPoolExecutor(threads) as pool:
        answers = [answer for done in pool.map(work, range(threads)) for answer in done]
    assert {verdict(answer) for answer in answers} == {Verdict.ACCEPTED}
    assert len({received.recipient for received in server.messages}) == threads * rounds
    assert server.connections == threads


def test_surplus_connections_are_given_up_when_idle(server: SmtpServer) -> None:
    server.delay = 0.1
    with mailer_to(server, idle_seconds=0.5) as mailer, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: send(mailer), range(4)))
        assert server.connections == 4
        server.delay = 0
        for _ in range(8):
            send(mailer)
            time.sleep(0.1)
        assert server.commands.count("QUIT") == 3
        assert server.connections == 4


def test_a_connection_that_was_idle_too_long_is_not_used_again(server: SmtpServer) -> None:
    with mailer_to(server, idle_seconds=0) as mailer:
        for _ in range(3):
            send(mailer)
            time.sleep(0.01)
    assert server.connections == 3
    assert server.commands.count("QUIT") == 3


def test_close_says_goodbye(server: SmtpServer) -> None:
    with mailer_to(server) as mailer:
        send(mailer)
    assert server.commands[-1] == "QUIT"


def test_a_closed_mailer_still_sends_and_keeps_nothing_open(server: SmtpServer) -> None:
    with mailer_to(server) as mailer:
        mailer.close()
        assert verdict(send(mailer)) is Verdict.ACCEPTED
        assert server.commands[-1] == "QUIT"


def test_close_is_bounded_however_many_servers_are_silent() -> None:
    def script(client: Conversation) -> None:
        client.greet()
        together.wait(10)
        client.take_email()
        client.silence()

    together = threading.Barrier(5)
    with ScriptedServer(script) as server, mailer_to(server) as mailer:
        with ThreadPoolExecutor(5) as pool:
            list(pool.map(lambda _: send(mailer), range(5)))
        started = time.monotonic()
        mailer.close()
    assert time.monotonic() - started < 3


def test_a_server_that_says_too_much_is_not_trusted_with_another_email() -> None:
    def script(client: Conversation) -> None:
        client.greet()
        client.take_email(answer="250 queued\r\n250 and another thing")

    with ScriptedServer(script) as server, mailer_to(server) as mailer:
        assert verdict(send(mailer)) is Verdict.ACCEPTED
        assert verdict(send(mailer)) is Verdict.ACCEPTED
        assert server.connections == 2


def test_a_connection_that_will_not_reset_is_dropped() -> None:
    def script(client: Conversation) -> None:
        client.greet()
        client.hear()
        client.say("550 no")
        assert client.hear() == "RSET"
        client.say("500 what?")

    with ScriptedServer(script) as server, mailer_to(server) as mailer:
        assert [send(mailer).code for _ in range(2)] == [550, 550]
        assert server.connections == 2


def test_a_server_that_comes_back_is_used_again() -> None:
    with SmtpServer() as server, mailer_to(server) as mailer:
        assert verdict(send(mailer)) is Verdict.ACCEPTED
        server.down()
        assert send(mailer) == Answer(Phase.CONNECT, None, "Connection refused")
        server.up()
        assert verdict(send(mailer)) is Verdict.ACCEPTED
        assert [received.connection for received in server.messages] == [1, 2]


def test_a_connection_that_the_server_closed_when_idle_is_replaced_at_once() -> None:
    with (
        SmtpServer(idle_seconds=0.1) as server,
        mailer_to(server) as mailer,
    ):
        assert verdict(send(mailer)) is Verdict.ACCEPTED
        while server.open_connections:
            time.sleep(0.01)
        assert verdict(send(mailer)) is Verdict.ACCEPTED
        assert server.connections == 2


def test_421_after_some_emails_brings_a_fresh_connection_and_loses_none() -> None:
    with (
        SmtpServer(goodbye_after=3) as server,
        mailer_to(server) as mailer,
    ):
        answers = [send(mailer) for _ in range(7)]
    assert {verdict(answer) for answer in answers} == {Verdict.ACCEPTED}
    assert [received.connection for received in server.messages] == [1, 1, 1, 2, 2, 2, 3]


@pytest.mark.parametrize("ending", ["cut", "reset", "421"])
def test_a_fresh_connection_is_tried_only_once(ending: str) -> None:
    def script(client: Conversation) -> None:
        client.greet()
        if client.number == 1:
            client.take_email()
        client.hear()
        if ending == "421":
            client.say("421 not now")
        else:
            getattr(client, ending)()

    with ScriptedServer(script) as server, mailer_to(server) as mailer:
        assert verdict(send(mailer)) is Verdict.ACCEPTED
        answer = send(mailer)
        assert answer.phase is Phase.SENDER
        assert verdict(answer) is Verdict.TRANSIENT
        assert server.connections == 2


@pytest.mark.parametrize("phase", [Phase.RECIPIENT, Phase.DATA, Phase.ACCEPTANCE])
def test_a_kept_connection_that_dies_later_is_not_replaced_within_the_attempt(
    phase: Phase,
) -> None:
    def script(client: Conversation) -> None:
        client.greet()
        client.take_email()
        client.hear()
        for done, reply in (
            (Phase.RECIPIENT, "250 sender ok"),
            (Phase.DATA, "250 recipient ok"),
            (Phase.ACCEPTANCE, "354 go ahead"),
        ):
            client.say(reply)
            if done is Phase.ACCEPTANCE:
                client.hear_body()
            else:
                client.hear()
            if done is phase:
                client.cut()

    with ScriptedServer(script) as server, mailer_to(server) as mailer:
        assert verdict(send(mailer)) is Verdict.ACCEPTED
        answer = send(mailer)
        assert (answer.phase, answer.code) == (phase, None)
        assert server.connections == 1
