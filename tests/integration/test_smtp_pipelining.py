"""SMTP pipelining (RFC 2920): the next envelope behind a final dot, and what may go wrong."""

import threading
import time
from collections.abc import Callable, Sequence

import pytest
from tests.mail_source import Mails
from tests.scripted_server import Conversation, ScriptedServer
from tests.smtp_client import SENDER, mailer_to

from integration_alerts.mail.mailers import Parcel
from integration_alerts.rules.retry import Answer, Phase

OK = ("250 sender ok", "250 recipient ok", "354 go ahead")


def hear_envelope(client: Conversation) -> list[str]:
    """MAIL, RCPT and DATA, of which none waits for the answer to another."""
    return [client.hear().split(":")[0] for _ in range(3)]


def take_first(client: Conversation) -> None:
    """The first email over a connection, up to its final dot."""
    client.greet("PIPELINING")
    hear_envelope(client)
    client.say(*OK)
    client.hear_body()


def send(script: Callable[[Conversation], None], mails: Mails) -> int:
    """Send them to a server that does what the script says; how many connections it took."""
    with ScriptedServer(script) as server, mailer_to(server) as mailer:
        mailer.send_all(mails)
    return server.connections


def test_each_email_takes_one_round_trip() -> None:
    def script(client: Conversation) -> None:
        client.greet("PIPELINING")
        assert hear_envelope(client) == ["MAIL FROM", "RCPT TO", "DATA"]
        client.say(*OK)
        for _ in range(3):
            client.hear_body()
            assert hear_envelope(client) == ["MAIL FROM", "RCPT TO", "DATA"]
            client.say("250 queued", *OK)
        client.hear_body()
        client.say("250 queued")

    mails = Mails(4)
    assert send(script, mails) == 1
    assert mails.codes() == [("acceptance", 250)] * 4


def test_a_server_that_does_not_offer_it_is_asked_step_by_step() -> None:
    def script(client: Conversation) -> None:
        client.greet()
        for _ in range(2):
            client.take_email()

    mails = Mails(2)
    send(script, mails)
    assert mails.codes() == [("acceptance", 250)] * 2


def test_no_body_follows_before_the_outcome_of_the_one_before_is_noted() -> None:
    noted = threading.Event()
    early: list[bytes] = []

    def script(client: Conversation) -> None:
        take_first(client)
        hear_envelope(client)
        client.say("250 queued", *OK)
        client.sock.settimeout(0.3)
        try:
            early.append(client.sock.recv(1))
        except TimeoutError:
            noted.set()
        client.sock.settimeout(10)
        client.hear_body()
        client.say("250 queued")

    def slowly(parcel: Parcel) -> None:
        if parcel.recipient.startswith("to-1@"):
            assert noted.wait(5)

    mails = Mails(2, on_answer=slowly)
    send(script, mails)
    assert early == []
    assert mails.codes() == [("acceptance", 250)] * 2


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        (("550 no", "503 no", "503 no"), ("sender", 550)),
        (("450 later", "503 no", "503 no"), ("sender", 450)),
        (("250 ok", "550 no", "503 no"), ("recipient", 550)),
        (("250 ok", "550 no", "554 nobody"), ("recipient", 550)),
        (("250 ok", "250 ok", "451 later"), ("data", 451)),
    ],
)
def test_a_refused_envelope_spoils_no_other_email(
    replies: tuple[str, ...], expected: tuple[str, int]
) -> None:
    def script(client: Conversation) -> None:
        take_first(client)
        hear_envelope(client)
        client.say("250 queued", *replies)
        assert client.hear() == "RSET"
        client.say("250 ok")
        hear_envelope(client)
        client.say(*OK)
        client.hear_body()
        client.say("250 queued")

    mails = Mails(3)
    assert send(script, mails) == 1
    assert mails.codes() == [("acceptance", 250), expected, ("acceptance", 250)]


def test_a_body_for_nobody_is_an_empty_one() -> None:
    def script(client: Conversation) -> None:
        client.greet("PIPELINING")
        hear_envelope(client)
        client.say("250 ok", "550 no such user", "354 go ahead")
        assert client.hear() == "."
        client.say("554 no valid recipients")
        assert client.hear() == "RSET"
        client.say("250 ok")

    mails = Mails(1)
    send(script, mails)
    assert mails.codes() == [("recipient", 550)]


def test_a_refused_body_keeps_what_was_announced_behind_it() -> None:
    def script(client: Conversation) -> None:
        take_first(client)
        hear_envelope(client)
        client.say("554 5.7.1 spam", *OK)
        client.hear_body()
        client.say("250 queued")

    mails = Mails(2)
    assert send(script, mails) == 1
    assert mails.codes() == [("acceptance", 554), ("acceptance", 250)]


@pytest.mark.parametrize("goodbye", ["421 4.3.2 closing", None])
def test_what_was_announced_when_a_connection_ends_goes_over_another(goodbye: str | None) -> None:
    def script(client: Conversation) -> None:
        take_first(client)
        if client.number == 1:
            hear_envelope(client)
            client.say("250 queued", *([goodbye] if goodbye else []))
            client.cut()
        client.say("250 queued")

    mails = Mails(2)
    assert send(script, mails) == 2
    assert mails.codes() == [("acceptance", 250)] * 2


def test_an_acceptance_that_is_lost_is_unknown_for_that_email_alone() -> None:
    def script(client: Conversation) -> None:
        take_first(client)
        if client.number == 1:
            hear_envelope(client)
            client.cut()
        client.say("250 queued")

    mails = Mails(2)
    began = time.monotonic()
    assert send(script, mails) == 2
    assert mails.codes() == [("acceptance", None), ("acceptance", 250)]
    assert time.monotonic() - began < 2, "what was announced does not wait for a dead connection"


def test_what_was_announced_long_ago_is_asked_about_again_and_taken_back() -> None:
    def script(client: Conversation) -> None:
        take_first(client)
        if client.number == 1:
            hear_envelope(client)
            time.sleep(0.7)
            client.say("250 queued", *OK)
            client.silence()
        client.say("250 queued")

    mails = Mails(3, wanted=lambda parcel: not parcel.recipient.startswith("to-2@"))
    assert send(script, mails) == 2
    assert "to-2@example.test" in mails.asked
    assert list(mails.answers) == ["to-1@example.test", "to-3@example.test"]


def test_an_answer_too_many_lets_no_email_pass_for_accepted() -> None:
    def script(client: Conversation) -> None:
        take_first(client)
        hear_envelope(client)
        client.say("250 queued", "250 and another thing", *OK)
        client.silence()

    mails = Mails(2)
    send(script, mails)
    first, second = mails.codes()
    assert first == ("acceptance", 250)
    assert second == ("data", 250)


def test_an_address_that_cannot_be_used_is_answered_and_the_next_one_is_announced() -> None:
    def script(client: Conversation) -> None:
        take_first(client)
        hear_envelope(client)
        client.say("250 queued", *OK)
        client.hear_body()
        client.say("250 queued")

    class Strange(Mails):
        def take(self) -> Parcel | None:
            parcel = super().take()
            strange = parcel is not None and self.taken == 2
            return Parcel(SENDER, "grüße@example.test", b"x\r\n") if strange else parcel

        at_hand = take

    mails = Strange(3)
    assert send(script, mails) == 1
    assert sorted(mails.codes(), key=str) == sorted(
        [("recipient", 553), ("acceptance", 250), ("acceptance", 250)], key=str
    )
    assert mails.answers["grüße@example.test"].phase is Phase.RECIPIENT


def test_a_fault_while_a_body_is_under_way_does_not_keep_its_outcome_from_being_noted() -> None:
    def script(client: Conversation) -> None:
        take_first(client)
        client.say("250 queued")
        client.silence()

    class Faulty(Mails):
        def take(self) -> Parcel | None:
            parcel = super().take()
            unfit = parcel is not None and self.taken == 2
            return Parcel(SENDER, "grüße@example.test", b"x\r\n") if unfit else parcel

        at_hand = take

        def answered(self, answers: Sequence[tuple[Parcel, Answer]]) -> None:
            if any(parcel.recipient.startswith("gr") for parcel, _ in answers):
                raise ConnectionError("the database is gone")
            super().answered(answers)

    mails = Faulty(3)
    with pytest.raises(ConnectionError, match="the database is gone"):
        send(script, mails)
    assert mails.codes() == [("acceptance", 250)]
