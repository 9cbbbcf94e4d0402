"""The pace of sending: shared by all workers, burning nothing, holding up nobody else."""

from datetime import timedelta
from itertools import pairwise
from threading import Barrier, Event, Thread
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from tests.world import World

from integration_alerts.mail import pacing
from integration_alerts.mail.lanes import Lanes
from integration_alerts.mail.models import DeliveryAttempt, Email, SendingPace
from integration_alerts.mail.pacing import Pace
from integration_alerts.mail.turns import await_turn
from integration_alerts.rules.retry import Answer, Phase

pytestmark = pytest.mark.django_db
BUSY = Answer(Phase.RECIPIENT, 450, "later")


@pytest.fixture
def queued(world: World) -> World:
    """Ten mails to Ada, and one to Bea at another domain, the last in the queue."""
    world.directory(
        {"type": "user", "account": "acme", "id": "bea", "email": "bea@other.example",
         "name": "Bea", "role": "administrator"},
    )  # fmt: skip
    world.queue(10)
    world.directory(
        {"type": "subscription", "account": "acme", "user": "ada", "deleted": True},
        {"type": "subscription", "account": "acme", "user": "bea", "companies": "all"},
    )
    Email.objects.update(next_attempt_at=world.now)
    return world


def waits(world: World) -> list[float]:
    rows = Email.objects.filter(status="queued").order_by("next_attempt_at")
    return [
        (row.next_attempt_at - world.now).total_seconds() for row in rows if row.next_attempt_at
    ]


def test_without_a_limit_there_is_no_statement_for_it(world: World) -> None:
    world.queue(3)
    with CaptureQueriesContext(connection) as queries:
        world.deliver()
    assert not [query for query in queries if "sending_pace" in (query["sql"] or "")]
    assert len(world.mailer.sent) == 3


def test_as_many_go_as_the_rate_allows_and_the_others_have_their_turns(world: World) -> None:
    world.queue(10)
    world.pace = Pace(mailer=4)
    world.deliver()
    assert len(world.mailer.sent) == 4
    assert waits(world) == [1, 1.25, 1.5, 1.75, 2, 2.25]


def test_waiting_counts_as_no_attempt_and_starts_no_clock(world: World) -> None:
    world.queue(10)
    world.pace = Pace(mailer=4)
    world.deliver()
    waiting = Email.objects.filter(status="queued")
    assert {(row.attempts, row.first_attempt_at, row.claimed_by) for row in waiting} == {
        (0, None, None)
    }
    assert DeliveryAttempt.objects.count() == 4
    assert world.in_hand._emails == set()


def test_everybody_goes_at_their_turn_and_in_their_order(world: World) -> None:
    world.queue(10)
    order = list(Email.objects.order_by("next_attempt_at", "id").values_list("id", flat=True))
    world.pace = Pace(mailer=2)
    sent_at: list[float] = []
    start = world.now
    for _ in range(60):
        world.deliver()
        now = (world.now - start).total_seconds()
        sent_at += [now] * (len(world.mailer.sent) - len(sent_at))
        world.pass_time(seconds=0.1)
    assert sent_at == [0, 0, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5]
    ended = Email.objects.order_by("ended_at", "id").values_list("id", flat=True)
    assert list(ended) == order


def test_each_mail_in_a_line_is_touched_twice_and_no_more(world: World) -> None:
    world.queue(30)
    world.pace = Pace(mailer=1)
    touched = 0
    for _ in range(400):
        touched += Lanes(world.courier()).run()
        world.pass_time(seconds=0.1)
    assert len(world.mailer.sent) == 30
    assert touched == 30 + 29  # when it joins the line, and when its turn has come


def test_a_domain_that_is_limited_does_not_hold_up_another(queued: World) -> None:
    queued.report("failed", "late", company="south")
    queued.directory({"type": "subscription", "account": "acme", "user": "ada", "companies": "all"})
    queued.plan()
    queued.pace = Pace(domains={"acme.example": 0.1})
    queued.deliver()
    assert [to for to, _ in queued.mailer.sent if to.endswith("@other.example")] == [
        "bea@other.example"
    ]
    assert len([to for to, _ in queued.mailer.sent if to.endswith("@acme.example")]) == 1


@pytest.mark.parametrize(
    ("domains", "address", "lanes"),
    [
        ({"big.example": 20.0, "*": 50.0}, "a@Big.example", {"mailer", "@big.example"}),
        ({"big.example": 20.0, "*": 50.0}, "a@b.example", {"mailer", "@b.example"}),
        ({"big.example": 20.0}, "a@b.example", {"mailer"}),
    ],
)
def test_a_star_gives_each_other_domain_a_lane_of_its_own(
    domains: dict[str, float], address: str, lanes: set[str]
) -> None:
    assert Pace(mailer=100, domains=domains).lanes(address).keys() == lanes


def test_a_new_mail_joins_the_end_of_the_line(world: World) -> None:
    world.queue(5)
    world.pace = Pace(mailer=1)
    world.deliver()
    world.pass_time(seconds=0.5)
    world.report("failed", "new", company="south")
    world.plan()
    world.deliver()
    assert waits(world) == [0.5, 1.5, 2.5, 3.5, 4.5]


def test_a_mail_given_back_by_a_worker_that_stops_keeps_its_place(world: World) -> None:
    world.queue(3)
    world.pace = Pace(mailer=1)
    world.deliver()
    world.pass_time(seconds=1)
    world.stopping = True
    world.deliver()
    assert len(world.mailer.sent) == 1
    world.stopping = False
    world.pass_time(seconds=1)
    world.deliver()
    world.pass_time(seconds=1)
    world.deliver()
    assert len(world.mailer.sent) == 3


def test_a_mail_that_is_tried_again_counts_again(world: World) -> None:
    world.queue(1)
    world.pace = Pace(mailer=1)
    world.mailer.answer = BUSY
    world.deliver()
    lane = SendingPace.objects.get(lane="mailer").free_at
    world.pass_time(minutes=1)
    world.deliver()
    assert len(world.mailer.sent) == 2
    assert SendingPace.objects.get(lane="mailer").free_at > lane


def test_lanes_that_nothing_depends_on_are_forgotten(world: World) -> None:
    world.queue(2)
    world.pace = Pace(mailer=1)
    world.deliver()
    pacing.forget_old(world.now + timedelta(hours=23))
    assert SendingPace.objects.exists()
    pacing.forget_old(world.now + timedelta(hours=25))
    assert not SendingPace.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_workers_together_keep_the_rate(transactional_db: None) -> None:
    world = World()
    barrier, outcomes = Barrier(8), []

    def ask(number: int) -> None:
        barrier.wait()
        for batch in range(5):
            mails = {f"email {number}{batch}{mail}": "a@big.example" for mail in range(5)}
            with transaction.atomic():
                outcomes.append(pacing.take_turns(Pace(100, {"big.example": 30}), mails, world.now))
        connections.close_all()

    threads = [Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(len(outcome.going) for outcome in outcomes) == 30
    turns = sorted(turn for outcome in outcomes for turn in outcome.places.values())
    assert len(turns) == 170
    gaps = {round((after - before).total_seconds(), 4)
            for before, after in pairwise(turns)}  # fmt: skip
    assert gaps == {round(1 / 30, 4)}


class TestWaiting:
    """A worker stays for turns that are near, and for nothing else."""

    @pytest.fixture(autouse=True)
    def asleep(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        self.called = Event()
        self.slept: list[float] = []
        monkeypatch.setattr(self.called, "wait", self.slept.append)
        return self.slept

    def queue_for(self, world: World, **later: Any) -> None:
        world.queue(1)
        Email.objects.update(next_attempt_at=world.now + timedelta(**later))

    @pytest.mark.parametrize(
        ("seconds", "slept"), [(0.01, 0.25), (0.3, 0.3), (0.5, 0.5), (5.9, 0.5)]
    )
    def test_for_a_near_turn(self, world: World, seconds: float, slept: float) -> None:
        self.queue_for(world, seconds=seconds)
        world.pace = Pace(mailer=1)
        assert await_turn(world.courier(), self.called)
        assert self.slept == [slept]

    def test_not_for_a_far_one(self, world: World) -> None:
        self.queue_for(world, seconds=7)
        world.pace = Pace(mailer=1)
        assert not await_turn(world.courier(), self.called)
        assert self.slept == []

    def test_not_without_a_limit_and_then_it_asks_nothing(self, world: World) -> None:
        self.queue_for(world, seconds=1)
        with CaptureQueriesContext(connection) as queries:
            assert not await_turn(world.courier(), self.called)
        assert len(queries) == 0

    def test_not_when_stopping(self, world: World) -> None:
        self.queue_for(world, seconds=1)
        world.pace, world.stopping = Pace(mailer=1), True
        assert not await_turn(world.courier(), self.called)

    def test_not_when_another_thread_does(self, world: World) -> None:
        self.queue_for(world, seconds=1)
        world.pace = Pace(mailer=1)
        with world.pace.watch:
            assert not await_turn(world.courier(), self.called)
        assert await_turn(world.courier(), self.called)
