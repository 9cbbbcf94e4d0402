"""Waking, sweeping, heartbeats and taking in: what keeps the work moving (ARCHITECTURE)."""

import os
import threading
import time
import uuid
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import OperationalError, connection
from psycopg.errors import DeadlockDetected
from tests.world import STATIONERY, World

from integration_alerts.alerts.models import Notice
from integration_alerts.engine import (
    advancing,
    clock,
    demo,
    intake,
    processes,
    tasks,
    wakeups,
    workers,
)
from integration_alerts.engine.sweeping import SWEEP_SECONDS, Sweeper, sweep
from integration_alerts.engine.workers import Heartbeat
from integration_alerts.integrations.models import Incident, StateChange
from integration_alerts.mail import outbox
from integration_alerts.mail.models import Email

pytestmark = pytest.mark.django_db


def jobs() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT task_name FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id")
        return [row[0] for row in cursor.fetchall()]


def forget_jobs() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")


@pytest.fixture
def quiet(world: World) -> World:
    """Acme, with no wake-up waiting."""
    forget_jobs()
    return world


@pytest.mark.parametrize(
    ("state", "woken"),
    [("failed", ["engine:plan"]), ("pending", ["engine:plan"]), ("active", [])],
)
def test_a_report_wakes_a_worker_only_when_there_is_something_to_plan(
    quiet: World, state: str, woken: list[str]
) -> None:
    quiet.report(state)
    assert jobs() == woken


def test_planning_tells_the_worker_itself_that_emails_may_go(quiet: World) -> None:
    quiet.report("failed")
    forget_jobs()
    told: list[int] = []
    advancing.plan(quiet.now, "platform.example", on_due=lambda: told.append(len(jobs())))
    assert told == [0]  # and needs no job for it


def test_what_follows_a_withdrawal_is_composed_by_a_job_of_its_own(quiet: World) -> None:
    quiet.report("failed")
    advancing.plan(quiet.now, "platform.example")
    quiet.pass_time(minutes=1)
    quiet.report("active")
    quiet.report("failed", "two")
    forget_jobs()
    told: list[str] = []
    advancing.plan(quiet.now, "platform.example", on_due=lambda: told.append("planning"))
    assert jobs() == ["engine:compose"]
    advancing.compose(quiet.now, "platform.example", on_due=lambda: told.append("composing"))
    assert told == ["composing"]


def test_a_task_that_looks_for_all_its_work_takes_its_other_wakeups_away(quiet: World) -> None:
    for task in (wakeups.PLAN, wakeups.PLAN, wakeups.DELIVER):
        wakeups.wake(task)
    wakeups.absorb(wakeups.PLAN)
    assert jobs() == ["engine:deliver"]


def queues() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT queue_name FROM procrastinate_jobs WHERE status = 'todo'")
        return [row[0] for row in cursor.fetchall()]


@pytest.mark.usefixtures("quiet")
def test_a_worker_that_has_enough_to_do_calls_another_one_and_never_itself() -> None:
    with Heartbeat() as caller:
        workers.call_another(caller.worker)
        assert queues() == []
        with Heartbeat() as other:
            for _ in range(20):
                workers.call_another(caller.worker)
            assert queues() == [wakeups.queue_of(other.worker)]  # one call at a time is enough
            assert set(jobs()) == {"engine:deliver"}
            channel = f"procrastinate_queue_v1#{wakeups.queue_of(other.worker)}"
            assert len(channel) < 64  # PostgreSQL's NAMEDATALEN


@pytest.mark.usefixtures("quiet")
def test_a_call_for_a_worker_that_is_gone_is_forgotten() -> None:
    with Heartbeat() as alive:
        for worker in (alive.worker, uuid.uuid4()):
            wakeups.wake(wakeups.DELIVER, worker)
        wakeups.wake(wakeups.PLAN)
        tasks.forget_dead_workers(0)
        assert sorted(queues()) == [wakeups.PLANNING_QUEUE, wakeups.queue_of(alive.worker)]


def nobody() -> None:
    """Is told that emails may go."""


def test_the_sweep_finds_what_no_wakeup_told_of(quiet: World) -> None:
    advancing.wake_for_what_is_due(quiet.now)
    assert jobs() == []
    quiet.report("failed")
    advancing.plan(quiet.now, "platform.example")
    quiet.report("pending", "two")
    quiet.pass_time(hours=25)
    advancing.plan(quiet.now, "platform.example")
    Notice.objects.filter(state="pending").update(status="planned")
    quiet.report("failed", "three")
    forget_jobs()
    told: list[str] = []
    sweep(quiet.now, lambda: told.append("emails may go"))
    assert sorted(jobs()) == ["engine:compose", "engine:plan"]
    assert told == ["emails may go"]


def test_the_sweep_comes_again_when_the_next_thing_falls_due(quiet: World) -> None:
    regular = quiet.now + timedelta(seconds=SWEEP_SECONDS)
    assert sweep(quiet.now, nobody) == regular
    quiet.group(wait=3, interval=300)
    quiet.report("failed")
    # Due now: a worker is woken, and the next sweep can wait.
    assert sweep(quiet.now, nobody) == regular
    quiet.plan()
    assert timedelta(seconds=3) <= sweep(quiet.now, nobody) - quiet.now < timedelta(seconds=3.1)


@pytest.mark.django_db(transaction=True)
def test_what_falls_due_is_swept_at_that_instant() -> None:
    world = World()
    world.now = clock.now()
    world.group(wait=1, interval=300)
    world.report("failed")
    world.plan()
    forget_jobs()
    due = threading.Event()
    with Sweeper(due.set):
        assert due.wait(SWEEP_SECONDS - 1)
    assert clock.now() - world.now >= timedelta(seconds=1)
    assert jobs() == []  # every worker sweeps: there is nobody to be told


@pytest.mark.django_db(transaction=True)
def test_a_sweeper_that_is_called_learns_of_what_falls_due_before_its_next_sweep() -> None:
    world = World()
    world.now = clock.now()
    due = threading.Event()
    with Sweeper(due.set) as sweeper:
        time.sleep(0.3)  # its first sweep found nothing
        world.group(wait=1, interval=300)
        world.report("failed")
        world.plan()
        sweeper.call()
        assert due.wait(SWEEP_SECONDS - 2)


def test_the_sweep_looks_at_nothing_but_due_work(quiet: World) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in (
            "SELECT 1 FROM incident WHERE next_notice_at <= now() LIMIT 1",
            "SELECT 1 FROM notice WHERE status = 'planned' LIMIT 1",
            "SELECT 1 FROM email WHERE status = 'queued' AND next_attempt_at <= now() LIMIT 1",
            "SELECT 1 FROM email WHERE status = 'sending'",
        ):
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "incident_due" in plan or "notice_planned" in plan or "email_" in plan, plan


def test_a_worker_is_alive_while_its_heart_beats(db: None) -> None:
    with Heartbeat() as heartbeat:
        assert list(workers.alive()) == [heartbeat.worker]
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE worker SET heartbeat_at = now() - make_interval(secs => %s)",
                [workers.DEAD_AFTER_SECONDS + 1],
            )
        assert list(workers.alive()) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM worker")
        assert cursor.fetchone()[0] == 0


def test_workers_that_are_long_gone_are_forgotten(db: None) -> None:
    with Heartbeat() as heartbeat, connection.cursor() as cursor:
        insert_worker(9, heartbeat="2 h")
        tasks.forget_dead_workers(timestamp=0)
        cursor.execute("SELECT id FROM worker")
        assert cursor.fetchall() == [(heartbeat.worker,)]


def test_the_worker_prunes_by_the_settings(quiet: World) -> None:
    quiet.report("active")
    StateChange.objects.update(occurred_at="2020-01-01T00:00Z", received_at="2020-01-01T00:00Z")
    quiet.report("disabled")
    StateChange.objects.update(occurred_at="2020-01-01T00:00Z", received_at="2020-01-01T00:00Z")
    context = SimpleNamespace(
        additional_context={"tools": SimpleNamespace(courier=quiet.courier())}
    )
    tasks.prune(context, timestamp=0)
    assert StateChange.objects.get().state == "disabled"


def insert_worker(
    number: int, *, heartbeat: str = "0 s", beating: str = "0 s", place: str = "elsewhere",
    process_id: int = 1, started: str = "1",
) -> uuid.UUID:  # fmt: skip
    """A worker that was last heard and first heard so long ago."""
    worker = uuid.UUID(int=number)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO worker (id, host, place, process_id, process_started, heartbeat_at,"
            " beating_since) VALUES (%s, 'host', %s, %s, %s, now() - %s::interval,"
            " now() - %s::interval)",
            [worker, place, process_id, started, heartbeat, beating],
        )
    return worker


def test_silence_counts_as_death_only_while_somebody_else_was_heard(db: None) -> None:
    silent = insert_worker(1, heartbeat="11 s", beating="1 h")
    assert silent in workers.possibly_alive()  # nobody was heard: the database was away
    insert_worker(2, beating="9 s")
    assert silent in workers.possibly_alive()
    insert_worker(3, beating="11 s")
    assert silent not in workers.possibly_alive()


def test_a_pause_of_the_heart_starts_its_time_as_a_witness_anew(db: None) -> None:
    silent = insert_worker(1, heartbeat="20 s", beating="1 h")
    with Heartbeat() as heartbeat, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE worker SET beating_since = now() - '1 h'::interval,"
            " heartbeat_at = now() - '11 s'::interval WHERE id = %s",
            [heartbeat.worker],
        )
        heartbeat._beat()
        assert silent in workers.possibly_alive()


def test_a_process_of_this_machine_that_is_gone_is_dead_at_once(db: None) -> None:
    here = processes.place()
    mine, my_start = os.getpid(), processes.started(os.getpid())
    gone = insert_worker(1, place=here, process_id=2**22 + 1)
    reused = insert_worker(2, place=here, process_id=mine, started="7")
    present = insert_worker(3, place=here, process_id=mine, started=my_start)
    elsewhere = insert_worker(4, process_id=2**22 + 1)
    assert my_start
    assert {gone, reused, present, elsewhere} & set(workers.possibly_alive()) == {
        present, elsewhere,
    }  # fmt: skip


def test_where_processes_cannot_be_told_apart_nobody_is_judged(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(*_: object) -> str:
        raise OSError

    monkeypatch.setattr(Path, "readlink", unreadable)
    assert processes.place() == ""
    worker = insert_worker(1, place="", process_id=2**22 + 1)
    assert worker in workers.possibly_alive()


@pytest.mark.django_db(transaction=True)
def test_the_heart_beats_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "HEARTBEAT_SECONDS", 0.01)
    told: list[uuid.UUID] = []
    beaten = threading.Event()

    def on_beat(worker: uuid.UUID) -> None:
        told.append(worker)
        beaten.set()

    with Heartbeat(on_beat) as heartbeat:
        assert beaten.wait(10)
    assert told[0] == heartbeat.worker


def test_the_sweep_gives_back_what_dead_workers_had_claimed(quiet: World) -> None:
    quiet.report("failed", company="south")
    quiet.plan()
    outbox.claim(uuid.UUID(int=9), quiet.now, 10, STATIONERY)
    insert_worker(9)
    sweep(quiet.now, nobody)
    assert Email.objects.get().status == "sending"
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM worker")
    sweep(quiet.now, nobody)
    assert Email.objects.get().status == "queued"


def test_a_deadlock_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    record, deadlocks = intake.record, [1, 2]

    def unlucky(*arguments: object, **more: object) -> object:
        if deadlocks:
            deadlocks.pop()
            error = OperationalError("deadlock detected")
            error.__cause__ = DeadlockDetected("deadlock detected")
            raise error
        return record(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(intake, "record", unlucky)
    monkeypatch.setattr("time.sleep", lambda _: None)
    assert world.report("failed") == "applied"


def test_another_fault_of_the_database_is_not(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(intake, "record", away)
    with pytest.raises(OperationalError, match="gone"):
        world.report("failed")


@pytest.mark.django_db(transaction=True)
def test_batches_that_meet_wait_for_each_other() -> None:
    world = World()
    names = [f"ads-{number}" for number in range(40)]
    errors: list[BaseException] = []

    def report_all(order: list[str], state: str) -> None:
        try:
            for _ in range(5):
                world.take(*(world.a_report(state, name) for name in order))
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=report_all, args=(order, state))
        for order in (names, names[::-1])
        for state in ("failed", "active")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    changes = StateChange.objects.filter(stale=False).count()
    opened = Incident.objects.count()
    assert opened <= changes
    assert Incident.objects.filter(closed_at=None).count() <= len(names)


@pytest.mark.django_db(transaction=True)
def test_the_same_events_at_once_have_one_effect() -> None:
    world = World()
    reports = [world.a_report("failed", f"ads-{number}") for number in range(50)]
    results: list[str] = []

    def send(order: list[dict[str, object]]) -> None:
        results.extend(taken.outcome.result.value for taken in world.take(*order))
        connection.close()

    threads = [threading.Thread(target=send, args=(o,)) for o in (reports, reports[::-1]) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == ["applied"] * 50 + ["duplicate"] * 150
    assert Incident.objects.count() == 50


def test_the_demo_is_loaded_once_and_keeps_its_key(world: World, tmp_path: Path) -> None:
    secret = demo.load(tmp_path, world.now)
    assert demo.load(tmp_path, world.now + timedelta(days=1)) == secret
    assert secret in demo.hint("http://localhost:8000", secret)
    world.work()
    (mail,) = [raw for to, raw in world.mailer.sent if to == "ines@lantern.example"]
    assert b"Subject: 3 integrations in 3 companies need you" in mail


def test_a_lost_demo_key_is_made_anew(world: World, tmp_path: Path) -> None:
    secret = demo.load(tmp_path, world.now)
    (tmp_path / "demo-key").write_text("")
    assert demo.load(tmp_path, world.now) != secret
