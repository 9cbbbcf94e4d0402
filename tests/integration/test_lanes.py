"""Lanes as a worker has them: threads, clerks that speak to the database, a real mail server."""

import dataclasses
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import connection
from tests.installation import wait_for
from tests.smtp_client import mailer_to
from tests.smtp_server import SmtpServer
from tests.world import World

from integration_alerts.mail import outbox
from integration_alerts.mail.courier import Clerks, Courier
from integration_alerts.mail.lanes import Lanes
from integration_alerts.mail.mailers import Mailer
from integration_alerts.mail.models import Email

pytestmark = pytest.mark.django_db(transaction=True)
SLOTS = 5
_END_OTHER_SESSIONS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@contextmanager
def lanes_of(courier: Courier, on_more: Callable[[], None] = lambda: None) -> Iterator[Lanes]:
    """As `working` has them, until all of them are at their end."""
    with Clerks() as clerks:
        with ThreadPoolExecutor(courier.slots, "lane") as threads:
            lanes = Lanes(courier, on_more, threads.submit, clerks)
            yield lanes
        lanes.finish()


def courier_of(world: World, mailer: Mailer) -> Courier:
    return dataclasses.replace(world.courier(), mailer=mailer, slots=SLOTS)


def all_sent() -> bool:
    return not Email.objects.exclude(status="sent").exists()


def fail(world: World, integration: str) -> None:
    """Queue one more mail to Ada."""
    world.report("failed", integration, company="south")
    world.plan()


def wait_until_all_are_sent() -> None:
    wait_for(all_sent, what=lambda: f"all to be sent: {list(Email.objects.values('status'))}")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


def test_a_call_delivers_all_that_is_due_each_once(world: World, server: SmtpServer) -> None:
    world.queue(60)
    with mailer_to(server) as mailer, lanes_of(courier_of(world, mailer)) as lanes:
        lanes.wake()
        wait_until_all_are_sent()
    assert len({each.message["Message-ID"] for each in server.messages}) == 60
    assert len(server.messages) == 60
    assert server.connections <= SLOTS


def test_a_mailer_that_sends_one_by_one_has_a_lane_for_each(world: World) -> None:
    together = threading.Barrier(SLOTS)

    def send(*_: object) -> object:
        if together.n_waiting or not together.broken:
            together.wait(10)  # which it would break if they came one after the other
        return world.mailer.answer

    world.queue(SLOTS)
    world.mailer.send = send  # type: ignore[method-assign,assignment]
    with lanes_of(courier_of(world, world.mailer)) as lanes:
        lanes.wake()
        wait_until_all_are_sent()


def test_no_call_is_lost_however_it_meets_the_end_of_a_lane(
    world: World, server: SmtpServer
) -> None:
    with mailer_to(server) as mailer, lanes_of(courier_of(world, mailer)) as lanes:
        for number in range(40):
            fail(world, f"ads-{number}")
            Email.objects.filter(open=True).update(open=False)
            lanes.wake()
        wait_until_all_are_sent()
    assert len(server.messages) == 40


def test_what_comes_while_a_mail_server_is_slow_does_not_wait_for_it(
    world: World, server: SmtpServer
) -> None:
    world.queue(1)
    server.delay = 1
    with mailer_to(server) as mailer, lanes_of(courier_of(world, mailer)) as lanes:
        lanes.wake()
        wait_for(lambda: server.connections == 1, what="the first to begin")
        fail(world, "another")
        lanes.wake()
        wait_for(lambda: server.connections == 2, what="the second to begin", patience=0.9)
        wait_until_all_are_sent()


def test_clerks_whose_connections_broke_get_new_ones(world: World, server: SmtpServer) -> None:
    world.queue(1)
    with mailer_to(server) as mailer, lanes_of(courier_of(world, mailer)) as lanes:
        lanes.wake()
        wait_until_all_are_sent()
        with connection.cursor() as cursor:
            cursor.execute(_END_OTHER_SESSIONS)
        fail(world, "another")

        def sent() -> bool:
            lanes.wake()  # as the sweep does
            return all_sent()

        wait_for(sent, what="the mail to be sent over new connections")
    assert len(server.messages) == 2


def test_a_stopping_worker_finishes_what_is_under_way_and_gives_back_the_rest(
    world: World, server: SmtpServer
) -> None:
    world.queue(20)
    server.delay = 0.3
    stopping = threading.Event()
    with mailer_to(server) as mailer:
        courier = dataclasses.replace(courier_of(world, mailer), stopping=stopping.is_set)
        with lanes_of(courier) as lanes:
            lanes.wake()
            wait_for(lambda: server.connections == SLOTS, what="all connections in use")
            stopping.set()
    sent = Email.objects.filter(status="sent").count()
    assert sent == len(server.messages)
    assert sent < 20
    assert Email.objects.filter(status="queued").count() == 20 - sent
    assert outbox.claimed_by(world.worker) == set()
    assert world.in_hand._emails == set()


def test_what_clerks_claimed_for_lanes_that_have_ended_is_given_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.queue(3)
    claim, stopping = outbox.claim, threading.Event()

    def late(*arguments: object) -> object:
        stopping.set()  # while it claims
        return claim(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(outbox, "claim", late)
    courier = dataclasses.replace(courier_of(world, world.mailer), stopping=stopping.is_set)
    with lanes_of(courier) as lanes:
        lanes.wake()
        assert stopping.wait(10)
    assert world.mailer.sent == []
    assert world.emails() == ["ada queued"] * 3
    assert outbox.claimed_by(world.worker) == set()
