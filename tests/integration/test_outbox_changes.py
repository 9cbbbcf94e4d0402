"""What changes between queueing and sending: nothing begins that is over (SPEC R4, R10, R12)."""

import dataclasses
import uuid
from collections.abc import Callable

import pytest
from django.db import OperationalError
from tests.world import STATIONERY, World

from integration_alerts.integrations.models import Incident
from integration_alerts.mail import outbox
from integration_alerts.mail.lanes import Lanes
from integration_alerts.mail.mailers import NO_LONGER_WANTED, OneByOne, Parcel
from integration_alerts.mail.models import DeliveryAttempt
from integration_alerts.mail.withdrawing import withdraw_ended
from integration_alerts.rules.retry import Answer, Phase

pytestmark = pytest.mark.django_db

GREYLISTED = Answer(Phase.RECIPIENT, 450, "4.7.1 greylisted")
SILENCE = Answer(Phase.ACCEPTANCE, None, "no answer")
OTHER_WORKER = uuid.UUID(int=2)


def test_silence_after_the_final_dot_counts_as_told_when_the_state_ends(world: World) -> None:
    world.queue()
    world.mailer.answer = SILENCE
    world.deliver()
    world.report("pending", "ads-0", company="south")
    world.plan()
    world.pass_time(minutes=1)
    world.report("failed", "ads-0", company="south")
    assert world.work() == []  # it may have arrived: nobody is told twice


def test_whoever_may_have_the_mail_of_a_crash_is_not_told_the_same_in_another(
    world: World,
) -> None:
    world.queue()
    outbox.claim(OTHER_WORKER, world.now, 10, STATIONERY)  # in flight when the worker is killed
    outbox.give_back_abandoned([], world.now)
    world.pass_time(minutes=1)
    world.report("pending", "ads-0", company="south")
    world.plan()
    world.pass_time(minutes=1)
    world.report("failed", "ads-0", company="south")
    assert world.work() == []


def test_a_withdrawal_that_fails_loses_no_claim(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.queue(2)
    world.report("active", "ads-0", company="south")

    def fail(*_: object) -> None:
        raise OperationalError("cut off")

    with monkeypatch.context() as broken:
        broken.setattr(outbox, "withdraw_ended", fail)
        world.deliver()
    assert len(world.mailer.sent) == 1
    world.pass_time(seconds=10)
    world.deliver()
    assert sorted(email.split()[1] for email in world.emails()) == ["cancelled", "sent"]


class SlowToConnect(OneByOne):
    """A mailer whose new connection takes so long that things change meanwhile."""

    name = "slow"
    probes_by_sending = False

    def __init__(self, world: World, meanwhile: Callable[[], object]) -> None:
        self.world, self.meanwhile = world, meanwhile

    def send(self, parcel: Parcel, still_wanted: Callable[[], bool]) -> Answer:  # type: ignore[override]
        self.meanwhile()
        return self.world.mailer.send(parcel) if still_wanted() else NO_LONGER_WANTED


def test_no_mail_begins_when_its_incident_ended_while_connecting(world: World) -> None:
    world.queue()
    slow = SlowToConnect(world, lambda: world.report("active", "ads-0", company="south"))
    Lanes(dataclasses.replace(world.courier(), mailer=slow)).run()
    assert world.mailer.sent == []
    assert world.emails() == ["ada cancelled the integration is no longer in this state"]


def test_an_address_that_changed_while_connecting_is_used(world: World) -> None:
    world.queue()
    line = {"type": "user", "account": "acme", "id": "ada", "email": "a@new.example"}
    slow = SlowToConnect(world, lambda: world.directory(line))
    Lanes(dataclasses.replace(world.courier(), mailer=slow)).run()
    assert [to for to, _ in world.mailer.sent] == ["a@new.example"]
    assert DeliveryAttempt.objects.count() == 1


def test_a_new_address_is_used_even_for_an_email_that_was_written(world: World) -> None:
    world.queue()
    world.mailer.answer = GREYLISTED
    world.deliver()
    world.directory({"type": "user", "account": "acme", "id": "ada", "email": "a@new.example"})
    world.pass_time(minutes=1)
    world.mailer.answer = Answer(Phase.ACCEPTANCE, 250, "ok")
    world.deliver()
    (old, first), (new, second) = world.mailer.sent
    assert (old, new) == ("ada@acme.example", "a@new.example")
    assert b"a@new.example" in second
    assert first.split(b"Message-ID: ")[1][:40] == second.split(b"Message-ID: ")[1][:40]


def test_a_change_between_claim_and_sending_is_seen(world: World) -> None:
    world.queue()
    (claimed,) = outbox.claim(world.worker, world.now, 10, STATIONERY)
    assert outbox.check_again([claimed], world.worker, world.now, STATIONERY) == [claimed]
    world.directory({"type": "user", "account": "acme", "id": "ada", "email": "a@new.example"})
    (again,) = outbox.check_again([claimed], world.worker, world.now, STATIONERY)
    assert again.address == "a@new.example"
    world.report("active", "ads-0", company="south")
    assert outbox.check_again([again], world.worker, world.now, STATIONERY) == []
    assert world.emails() == ["ada cancelled the integration is no longer in this state"]


def test_an_end_seen_right_before_sending_lets_the_state_be_told_again(world: World) -> None:
    world.queue()
    (claimed,) = outbox.claim(world.worker, world.now, 10, STATIONERY)
    world.pass_time(minutes=1)
    world.report("pending", "ads-0", company="south")
    world.plan()  # leaves alone what is being sent
    assert outbox.check_again([claimed], world.worker, world.now, STATIONERY) == []
    world.pass_time(minutes=1)
    world.report("failed", "ads-0", company="south")
    assert world.work() == ["ada@acme.example: ads-0 for South stopped working"]


def test_a_reminder_withdrawn_after_planning_is_planned_again_for_the_new_stay(
    world: World,
) -> None:
    world.queue()
    world.deliver()
    world.pass_time(days=7)
    world.plan()
    (claimed,) = outbox.claim(world.worker, world.now, 10, STATIONERY)
    there = world.a_report("pending", "ads-0", company="south")
    world.pass_time(minutes=1)
    world.take(there, world.a_report("failed", "ads-0", company="south"))
    world.plan()
    assert outbox.check_again([claimed], world.worker, world.now, STATIONERY) == []
    assert world.work() == []
    assert world.live(days=7) == ["ada@acme.example: ads-0 for South is still broken after 7 days"]


def test_a_state_that_is_back_when_it_is_looked_at_again_is_not_withdrawn(world: World) -> None:
    world.queue()
    incident = Incident.objects.get()
    withdraw_ended({incident.pk}, world.now)
    world.deliver()
    assert world.emails() == ["ada sent"]
