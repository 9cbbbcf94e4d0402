"""SMTP sending of many emails at once, over several connections held by one thread."""

import sys
import threading
import time
from collections.abc import Callable, Sequence

import pytest
from tests.mail_source import Mails
from tests.scripted_server import Conversation, ScriptedServer
from tests.smtp_client import PATIENT, SENDER, mailer_to
from tests.smtp_server import SmtpServer

from integration_alerts.mail import smtp_pool
from integration_alerts.mail.mailers import Parcel
from integration_alerts.mail.smtp import Timeouts
from integration_alerts.mail.smtp_pool import SmtpPool
from integration_alerts.rules.retry import Answer, Phase

ENVELOPE = ("250 sender ok", "250 recipient ok", "354 go ahead")
HURRIED = Timeouts(connect=5, greeting=5, command=5, data=5, acceptance=0.5)


def send(
    script: Callable[[Conversation], None],
    mails: Mails,
    at_once: int,
    timeouts: Timeouts = PATIENT,
) -> int:
    """Send them to a server that does what the script says; how many connections it took."""
    with ScriptedServer(script) as server, mailer_to(server, timeouts=timeouts) as mailer:
        mailer.send_all(mails, at_once)
    return server.connections


def hear_message(client: Conversation) -> None:
    """A whole email up to its final dot, envelope by envelope."""
    for reply in ENVELOPE:
        client.hear()
        client.say(reply)
    client.hear_body()


def test_as_many_are_under_way_at_once_as_may_be_and_no_more() -> None:
    together = threading.Barrier(5)

    def script(client: Conversation) -> None:
        client.greet()
        hear_message(client)
        together.wait(10)  # which it would break if the others came one after the other
        client.say("250 queued")
        while True:
            client.take_email()

    mails = Mails(20)
    assert send(script, mails, at_once=5) == 5
    assert mails.codes() == [("acceptance", 250)] * 20


def test_each_of_many_arrives_once_by_a_real_server() -> None:
    mails = Mails(300)
    with SmtpServer() as server, mailer_to(server) as mailer:
        mailer.send_all(mails, 10)
        received = [each.recipient for each in server.messages]
    assert sorted(received) == sorted(mails.answers)
    assert len(set(received)) == 300
    assert set(mails.codes()) == {("acceptance", 250)}
    assert server.connections <= 10


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_QUICKACK is Linux's")
def test_a_server_that_writes_its_replies_one_by_one_waits_for_no_acknowledgement() -> None:
    def script(client: Conversation) -> None:
        client.greet("PIPELINING")
        while True:
            client.take_email()

    seconds = []
    for _ in range(3):  # the quickest: others may be busy on this machine
        began = time.monotonic()
        send(script, Mails(25), at_once=1)
        seconds.append(time.monotonic() - began)
    assert min(seconds) < 25 * 0.020  # Linux puts acknowledgements off by 40 ms


def test_a_silent_connection_holds_up_no_other() -> None:
    def script(client: Conversation) -> None:
        client.greet()
        if client.number == 1:
            client.hear()
            client.silence()
        for _ in range(20):
            client.take_email()

    mails = Mails(10)
    began = time.monotonic()
    send(script, mails, at_once=3, timeouts=Timeouts(5, 5, command=1, data=5, acceptance=5))
    assert time.monotonic() - began < 3
    codes = mails.codes()
    assert codes.count(("acceptance", 250)) == 9
    assert codes[-1] == ("sender", None)


def test_a_connection_that_is_refused_when_others_work_is_no_emails_fault() -> None:
    begun = threading.Semaphore(0)

    def script(client: Conversation) -> None:
        if client.number > 2:
            client.say("421 4.7.0 too many connections from you")
            begun.release()
            client.cut()
        client.greet()
        hear_message(client)
        assert begun.acquire(timeout=10)
        client.say("250 queued")
        for _ in range(20):
            client.take_email()

    mails = Mails(10)
    with ScriptedServer(script) as server, mailer_to(server) as mailer:
        mailer.send_all(mails, 4)
        assert mails.codes() == [("acceptance", 250)] * 10
        refused = server.connections
        again = Mails(10)
        mailer.send_all(again, 4)
        assert again.codes() == [("acceptance", 250)] * 10
        assert server.connections == refused == 4, "it has learned what the server gives it"


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Answer(Phase.GREETING, 421, "too many connections"), 60),
        (Answer(Phase.CONNECT, None, "Connection refused"), 2),
    ],
)
def test_what_was_learned_of_a_server_is_forgotten_again(
    answer: Answer, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    pool = SmtpPool(idle_seconds=30)
    pool.limit_to(3, answer)
    assert pool.allowed(40) == 3
    assert pool.allowed(2) == 2
    for later, allowed in ((seconds - 1, 3), (seconds + 1, 40)):
        monkeypatch.setattr(smtp_pool.time, "monotonic", lambda later=later: now + later)
        assert pool.allowed(40) == allowed


def test_a_server_that_nobody_can_reach_is_told_of_each_email() -> None:
    with SmtpServer() as server:
        pass
    mails = Mails(3)
    with mailer_to(server) as mailer:
        mailer.send_all(mails, 5)
    assert mails.codes() == [("connect", None)] * 3


def test_a_connection_that_died_while_it_was_idle_is_replaced_and_the_others_dropped() -> None:
    with SmtpServer(idle_seconds=0.1) as server, mailer_to(server) as mailer:
        server.delay = 0.05  # so that there are several
        mailer.send_all(Mails(6), 3)
        while server.open_connections:
            time.sleep(0.01)
        before = server.connections
        server.delay = 0
        mails = Mails(6)
        mailer.send_all(mails, 3)
        assert mails.codes() == [("acceptance", 250)] * 6
        assert server.connections > before


def test_an_address_that_cannot_be_used_holds_up_no_other() -> None:
    class Strange(Mails):
        def take(self) -> Parcel | None:
            parcel = super().take()
            return Parcel(SENDER, "no address", b"x") if self.taken == 2 and parcel else parcel

        at_hand = take

    mails = Strange(4)
    with SmtpServer() as server, mailer_to(server) as mailer:
        mailer.send_all(mails, 3)
    assert mails.answers.pop("no address").phase is Phase.RECIPIENT
    assert len(server.messages) == 3
    assert len(mails.answers) == 3


class Coming(Mails):
    """A source whose second email comes while the first is under way."""

    has_come = False
    call: Callable[[], None]

    def at_hand(self) -> Parcel | None:  # type: ignore[override]
        return self.take() if self.has_come else None

    def call_when_more(self, call: Callable[[], None]) -> None:
        self.call = call

    def come(self) -> None:
        self.has_come = True
        self.call()


def test_what_comes_while_others_are_under_way_begins_at_once() -> None:
    arrived = threading.Event()
    mails = Coming(2)

    def script(client: Conversation) -> None:
        client.greet()
        if client.number == 1:
            hear_message(client)
            mails.come()
            assert arrived.wait(5), "the second waits for the first"
            client.say("250 queued")
            return
        client.take_email()
        arrived.set()

    assert send(script, mails, at_once=2) == 2
    assert mails.codes() == [("acceptance", 250)] * 2


class Forgetful(Mails):
    """A source that cannot note what became of the third email."""

    def answered(self, answers: Sequence[tuple[Parcel, Answer]]) -> None:
        if any(parcel.recipient.startswith("to-3@") for parcel, _ in answers):
            raise ConnectionError("the database is gone")
        super().answered(answers)


def test_a_fault_of_the_source_is_raised_when_what_is_under_way_is_settled() -> None:
    bodies: list[bytes] = []

    def script(client: Conversation) -> None:
        client.greet("PIPELINING")
        while True:
            for _ in ENVELOPE:
                client.hear()
            client.say(*ENVELOPE)
            bodies.append(client.hear_body())
            time.sleep(0.05 * client.number)
            client.say("250 queued")

    mails = Forgetful(50)
    with pytest.raises(ConnectionError, match="the database is gone"):
        send(script, mails, at_once=3)
    # Those of the other connections were noted; none began that would not be.
    assert len(bodies) <= len(mails.answers) + 3
    assert mails.taken < 50


def test_an_email_that_waited_long_for_its_connection_is_asked_about_again() -> None:
    opened = threading.Event()

    def script(client: Conversation) -> None:
        if client.number == 1:
            client.greet()
            hear_message(client)
            assert opened.wait(10)
            client.say("250 queued")
            return
        time.sleep(0.7)
        client.greet()
        opened.set()

    mails = Mails(2, wanted=lambda parcel: not parcel.recipient.startswith("to-2@"))
    send(script, mails, at_once=2)
    assert "to-2@example.test" in mails.asked
    assert list(mails.answers) == ["to-1@example.test"]


def test_a_late_acceptance_is_unknown_and_its_connection_is_dropped() -> None:
    def script(client: Conversation) -> None:
        client.greet()
        hear_message(client)
        if client.number == 1:
            client.silence()
        client.say("250 queued")

    mails = Mails(2)
    send(script, mails, at_once=2, timeouts=HURRIED)
    assert sorted(mails.codes(), key=str) == [("acceptance", 250), ("acceptance", None)]
