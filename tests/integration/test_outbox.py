"""Delivering: claims, servers' answers, and what a crash leaves (SPEC R7, R12, R24, R25)."""

import dataclasses
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import cycle
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.world import STATIONERY, World

from integration_alerts.mail import outbox, outbox_rows, waiting_emails
from integration_alerts.mail.delivering import BATCH
from integration_alerts.mail.lanes import Lanes
from integration_alerts.mail.models import DeliveryAttempt, Email
from integration_alerts.mail.outbox import Claimed
from integration_alerts.mail.writing import Stationery
from integration_alerts.rules.retry import Answer, Phase

pytestmark = pytest.mark.django_db

GREYLISTED = Answer(Phase.RECIPIENT, 450, "4.7.1 greylisted")
UNKNOWN = Answer(Phase.RECIPIENT, 550, "5.1.1 no such user")
OTHER_WORKER = uuid.UUID(int=2)


def test_an_accepted_email_is_sent_and_its_attempt_recorded(world: World) -> None:
    world.queue()
    world.deliver()
    email, attempt = Email.objects.get(), DeliveryAttempt.objects.get()
    assert (email.status, email.attempts, email.ended_at) == ("sent", 1, world.now)
    assert (attempt.phase, attempt.code, attempt.address) == (
        "acceptance", 250, "ada@acme.example",
    )  # fmt: skip


def test_a_transient_refusal_is_tried_again_with_the_same_bytes(world: World) -> None:
    world.queue()
    world.mailer.answer = GREYLISTED
    world.deliver()
    email = Email.objects.get()
    assert (email.status, email.claimed_by) == ("queued", None)
    assert email.next_attempt_at is not None
    assert world.now < email.next_attempt_at < world.now + timedelta(seconds=20)
    world.pass_time(seconds=20)
    world.mailer.answer = Answer(Phase.ACCEPTANCE, 250, "ok")
    world.deliver()
    assert Email.objects.get().status == "sent"
    assert world.mailer.sent[0] == world.mailer.sent[1]


def test_a_permanent_refusal_ends_as_failed_with_the_servers_words(world: World) -> None:
    world.queue()
    world.mailer.answer = UNKNOWN
    world.deliver()
    assert world.emails() == ["ada failed refused: 550 5.1.1 no such user"]


def test_after_five_days_it_is_given_up(world: World) -> None:
    world.queue()
    world.mailer.answer = GREYLISTED
    for _ in range(200):
        world.deliver()
        world.pass_time(hours=1)
    assert world.emails() == ["ada failed given up after 5 days: 4.7.1 greylisted"]
    first, last = DeliveryAttempt.objects.order_by("id")[0], DeliveryAttempt.objects.latest("id")
    assert timedelta(days=4, hours=21) < last.started_at - first.started_at <= timedelta(days=5)


def test_one_unwritable_email_does_not_hold_up_the_others(world: World) -> None:
    world.queue(2)
    broken = Email.objects.order_by("id")[0]
    Email.objects.filter(pk=broken.pk).update(message_id="<broken\nid>")
    world.deliver()
    assert [email.partition(":")[0] for email in world.emails()] == [
        "ada failed it could not be written", "ada sent",
    ]  # fmt: skip


def test_what_a_dead_worker_claimed_is_given_back_and_sent_as_the_same_message(
    world: World,
) -> None:
    world.queue()
    (claimed,) = outbox.claim(OTHER_WORKER, world.now, 10, STATIONERY)
    assert outbox.give_back_abandoned([OTHER_WORKER], world.now) == 0
    assert outbox.claimed_by(OTHER_WORKER) == {claimed.id}
    world.deliver()
    assert world.mailer.sent == []
    assert outbox.give_back_abandoned([world.worker], world.now) == 1
    world.deliver()
    assert world.mailer.sent == [(claimed.address, claimed.message)]


def test_a_worker_that_was_taken_for_dead_does_not_send_what_it_lost(world: World) -> None:
    world.queue()
    (claimed,) = outbox.claim(OTHER_WORKER, world.now, 10, STATIONERY)
    outbox.give_back_abandoned([], world.now)
    assert outbox.check_again([claimed], OTHER_WORKER, world.now, STATIONERY) == []


def test_an_acceptance_counts_even_from_a_worker_that_was_taken_for_dead(world: World) -> None:
    world.queue()
    (claimed,) = outbox.claim(OTHER_WORKER, world.now, 10, STATIONERY)
    outbox.give_back_abandoned([], world.now)
    accepted = Answer(Phase.ACCEPTANCE, 250, "ok")
    outbox.record([outbox.Attempt(claimed, accepted, world.now, world.now, 0.5)], OTHER_WORKER)
    world.deliver()
    assert world.mailer.sent == []
    assert world.emails() == ["ada sent"]


def test_a_refusal_from_a_worker_that_was_taken_for_dead_changes_nothing(world: World) -> None:
    world.queue()
    (claimed,) = outbox.claim(OTHER_WORKER, world.now, 10, STATIONERY)
    outbox.give_back_abandoned([], world.now)
    outbox.record([outbox.Attempt(claimed, UNKNOWN, world.now, world.now, 0.5)], OTHER_WORKER)
    assert world.emails() == ["ada queued"]


def test_a_wakeup_that_fails_keeps_no_email_claimed(world: World) -> None:
    world.queue(3)

    def fail() -> None:
        raise OperationalError("gone")

    with pytest.raises(OperationalError):
        Lanes(world.courier(), fail).run()
    assert world.emails() == ["ada queued"] * 3
    world.deliver()
    assert world.emails() == ["ada sent"] * 3


def test_a_stopping_worker_gives_back_what_it_has_not_begun(world: World) -> None:
    world.queue(3)
    courier = dataclasses.replace(world.courier(), slots=3)
    courier = dataclasses.replace(courier, stopping=lambda: bool(world.mailer.sent))
    assert Lanes(courier).run() == 3
    assert len(world.mailer.sent) == 1
    assert world.emails() == ["ada sent", "ada queued", "ada queued"]
    assert world.in_hand._emails == set()


def test_what_is_claimed_but_not_in_hand_is_given_back_the_second_time(world: World) -> None:
    world.queue(2)
    first, second = outbox.claim(world.worker, world.now, 10, STATIONERY)
    world.in_hand.take([first.id])
    assert world.in_hand.give_back_unknown(world.worker, world.now) == 0
    assert world.in_hand.give_back_unknown(world.worker, world.now) == 1
    assert outbox.claimed_by(world.worker) == {first.id}
    world.deliver()
    assert [message for _, message in world.mailer.sent] == [second.message]


def test_a_claim_that_became_known_in_time_is_kept(world: World) -> None:
    world.queue()
    (claimed,) = outbox.claim(world.worker, world.now, 10, STATIONERY)
    world.in_hand.give_back_unknown(world.worker, world.now)
    world.in_hand.take([claimed.id])
    assert world.in_hand.give_back_unknown(world.worker, world.now) == 0
    world.in_hand.drop([claimed.id])


def test_others_are_asked_to_join_in_while_there_is_more(world: World) -> None:
    world.queue(5)
    calls: list[str] = []
    courier = dataclasses.replace(world.courier(), slots=4)
    assert Lanes(courier, lambda: calls.append("more")).run() == 5
    assert calls == ["more"]


def test_a_worker_claims_as_many_as_it_has_lanes_and_more_once_it_gets_through(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.queue(30)
    claim, sizes = outbox.claim, []

    def counted(worker: uuid.UUID, now: datetime, limit: int, stationery: Stationery) -> object:
        sizes.append(limit)
        return claim(worker, now, limit, stationery)

    monkeypatch.setattr(outbox, "claim", counted)
    Lanes(dataclasses.replace(world.courier(), slots=4)).run()
    assert sizes == [4, 8, 24]
    assert len(world.mailer.sent) == 30


def test_an_email_that_waited_for_its_lane_is_looked_at_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.queue(3)
    check_again, looked_at = outbox.check_again, []

    def counted(emails: Sequence[Claimed], *more: Any) -> list[Claimed]:
        looked_at.append(len(emails))
        return check_again(emails, *more)

    monkeypatch.setattr(outbox, "check_again", counted)
    monkeypatch.setattr(waiting_emails, "FRESH_SECONDS", -1.0)
    Lanes(dataclasses.replace(world.courier(), slots=3)).run()
    assert looked_at[0] == 3
    assert len(world.mailer.sent) == 3


def test_the_database_going_away_after_an_acceptance_is_waited_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.queue()
    record, failures = outbox.record, [OperationalError("gone"), OperationalError("gone")]

    def unreliable(*arguments: object) -> object:
        if failures:
            raise failures.pop()
        return record(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "record", unreliable)
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr("integration_alerts.mail.persisting.close_old_connections", lambda: None)
    world.deliver()
    assert world.emails() == ["ada sent"]


def test_a_mailer_that_breaks_leaves_the_email_to_be_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.queue()
    monkeypatch.setattr(
        world.mailer, "send", lambda *_: (_ for _ in ()).throw(RuntimeError("broken"))
    )
    world.deliver()
    assert world.emails() == ["ada queued"]
    attempt = DeliveryAttempt.objects.get()  # nobody knows how far it came (R24)
    assert (attempt.phase, attempt.code) == ("acceptance", None)


@pytest.mark.parametrize("count", [1, 3, 20])
def test_claiming_costs_the_same_statements_for_any_batch(world: World, count: int) -> None:
    world.queue(count)
    with CaptureQueriesContext(connection) as queries:
        outbox.claim(world.worker, world.now, BATCH, STATIONERY)
    assert len(queries) == 11


@pytest.mark.parametrize("count", [1, 20])
def test_looking_again_and_recording_cost_the_same_statements_for_any_batch(
    world: World, count: int
) -> None:
    world.queue(count)
    claimed = outbox.claim(world.worker, world.now, BATCH, STATIONERY)
    with CaptureQueriesContext(connection) as queries:
        assert outbox.check_again(claimed, world.worker, world.now, STATIONERY) == claimed
    assert len(queries) == 2
    ok = Answer(Phase.ACCEPTANCE, 250, "ok")
    attempts = [outbox.Attempt(email, ok, world.now, world.now, 0.5) for email in claimed]
    with CaptureQueriesContext(connection) as queries:
        outbox.record(attempts, world.worker)
    assert len(queries) == 1


@pytest.mark.parametrize("count", [1, 10])
def test_recording_refusals_among_acceptances_costs_the_same_statements_for_any_batch(
    world: World, count: int
) -> None:
    world.queue(2 * count)
    claimed = outbox.claim(world.worker, world.now, BATCH, STATIONERY)
    answers = [Answer(Phase.ACCEPTANCE, 250, "ok"), Answer(Phase.RECIPIENT, 550, "no such user")]
    attempts = [
        outbox.Attempt(email, answer, world.now, world.now, 0.5)
        for email, answer in zip(claimed, cycle(answers), strict=False)
    ]
    with CaptureQueriesContext(connection) as queries:
        statuses = outbox.record(attempts, world.worker)
    assert Counter(statuses.values()) == {"sent": count, "failed": count}
    assert len(queries) == 1 + 3 + 2  # the savepoint of the test's transaction


@pytest.mark.django_db(transaction=True)
def test_what_is_recorded_together_is_recorded_as_a_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.queue(2)
    claimed = outbox.claim(world.worker, world.now, BATCH, STATIONERY)
    attempts = [
        outbox.Attempt(email, answer, world.now, world.now, 0.5)
        for email, answer in zip(
            claimed, [Answer(Phase.ACCEPTANCE, 250, "ok"), UNKNOWN], strict=True
        )
    ]
    with monkeypatch.context() as patched:
        patched.setattr(outbox_rows, "save_outcomes", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            outbox.record(attempts, world.worker)
    assert set(Email.objects.values_list("status", flat=True)) == {"sending"}
    outbox.record(attempts, world.worker)
    assert set(Email.objects.values_list("status", flat=True)) == {"sent", "failed"}
    assert DeliveryAttempt.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_acceptance_waits_for_who_gives_the_email_back_at_this_moment() -> None:
    world = World()
    world.queue()
    claimed = outbox.claim(OTHER_WORKER, world.now, BATCH, STATIONERY)
    accepted = outbox.Attempt(
        claimed[0], Answer(Phase.ACCEPTANCE, 250, "ok"), world.now, world.now, 0.5
    )
    outbox.give_back_abandoned([], world.now)
    outbox.claim(world.worker, world.now, BATCH, STATIONERY)
    statuses: list[object] = []

    def note() -> None:
        try:
            statuses.extend(outbox.record([accepted], OTHER_WORKER).values())
        finally:
            connection.close()

    thread = threading.Thread(target=note)
    with transaction.atomic():
        outbox.give_back([claimed[0].id], world.worker, world.now)
        thread.start()
        thread.join(0.3)
        assert statuses == []
    thread.join(10)
    assert statuses == ["sent"]
    assert world.emails() == ["ada sent"]


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_claim_the_same_email() -> None:
    world = World()
    world.queue(60)
    claimed: list[int] = []

    def claim_all(worker: uuid.UUID) -> None:
        while emails := outbox.claim(worker, world.now, 7, STATIONERY):
            claimed.extend(email.id for email in emails)
        connection.close()

    threads = [
        threading.Thread(target=claim_all, args=(uuid.UUID(int=number),)) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(set(claimed)) == 60
