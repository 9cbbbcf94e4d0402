"""Pruning: what goes, what must stay, and that nobody waits for it."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.world import ACCEPTED, STATIONERY, World

from integration_alerts.engine import retention
from integration_alerts.engine.models import Bookmark
from integration_alerts.integrations.models import Incident, ReportReceipt, StateChange
from integration_alerts.mail import bounces, outbox
from integration_alerts.mail.dsn import Report
from integration_alerts.mail.models import DeliveryAttempt, Email, EmailNotice, InboxMessage
from integration_alerts.rules.retention import Policy
from integration_alerts.rules.suppression import BounceKind, Fault

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
POLICY = Policy(history=100 * DAY, emails=50 * DAY, messages=10 * DAY, receipts=30 * DAY)
TABLES = (StateChange, Incident, Email, EmailNotice, DeliveryAttempt, ReportReceipt)


def prune(now: datetime, policy: Policy = POLICY, **how: bool) -> Counter[str]:
    pruned: Counter[str] = Counter()
    for progress in retention.prune(policy, now, **how):
        pruned.update(progress.pruned)
    return +pruned


def rows() -> list[int]:
    return [table._default_manager.count() for table in TABLES]


def broken_and_mended(world: World, integration: str = "ads") -> None:
    """An incident that was told and is over."""
    world.report("failed", integration)
    world.work()
    world.pass_time(hours=1)
    world.report("active", integration)
    world.work()


def every_week(world: World, weeks: int) -> None:
    """Work at once and after each week."""
    world.work()
    for _ in range(weeks):
        world.pass_time(days=7)
        world.work()


def test_nothing_is_over(world: World) -> None:
    assert prune(world.now) == {}


def test_what_is_over_goes_in_its_time(world: World) -> None:
    broken_and_mended(world)
    kept = rows()
    world.pass_time(days=10, hours=-1)
    assert prune(world.now) == {}  # the mail ended an hour before the incident
    world.pass_time(seconds=1)
    assert prune(world.now) == {"texts of mails": 2}
    world.pass_time(days=20, hours=1)
    assert prune(world.now) == {"event ids": 2}
    world.pass_time(days=20)
    assert prune(world.now) == {"mails": 2}
    world.pass_time(days=50)
    assert prune(world.now) == {"incidents": 1, "state changes": 1}
    world.pass_time(days=1000)
    assert prune(world.now) == {}
    assert kept[1:] != rows()[1:] == [0, 0, 0, 0, 0]


def test_each_horizon_is_exact(world: World) -> None:
    broken_and_mended(world)
    closed = Incident.objects.get().closed_at
    assert closed is not None
    tick = timedelta(microseconds=1)
    for at, word in (
        (Email.objects.latest("ended_at").ended_at, "texts of mails"),
        (StateChange.objects.earliest("id").received_at, "event ids"),
        (closed, "mails"),
        (closed, "incidents"),
    ):
        kept = {"texts of mails": 10, "event ids": 30, "mails": 50, "incidents": 100}[word]
        assert at is not None
        assert word not in prune(at + kept * DAY, afresh=True)
        assert word in prune(at + kept * DAY + tick, afresh=True)


def test_the_latest_change_before_the_horizon_stays(world: World) -> None:
    for state in ("active", "disabled", "active"):
        world.report(state)
        world.pass_time(days=10)
    world.pass_time(days=85)
    assert prune(world.now) == {"event ids": 3, "state changes": 1}
    world.pass_time(days=500)
    prune(world.now)
    assert list(StateChange.objects.values_list("state", flat=True)) == ["active"]


def test_a_late_report_goes_like_the_others(world: World) -> None:
    world.report("active")
    world.report("failed", occurred_at=(world.now - DAY).isoformat())
    world.pass_time(days=101)
    prune(world.now)
    assert list(StateChange.objects.values_list("stale", flat=True)) == [False]


def test_an_open_incident_keeps_all_that_belongs_to_it(world: World) -> None:
    world.report("active")
    world.pass_time(days=1)
    world.report("pending")
    every_week(world, 1)
    world.report("failed")
    every_week(world, 4)
    kept = rows()
    world.pass_time(days=1000)
    assert prune(world.now).keys() == {"texts of mails", "event ids", "state changes"}
    assert rows()[:-1] == [kept[0] - 1, *kept[1:-1]]
    assert world.work() == []  # everybody counts as told still


def test_an_incident_that_closed_late_goes_with_all_of_it(world: World) -> None:
    world.report("failed")
    every_week(world, 4)
    world.pass_time(days=1000)
    prune(world.now)
    world.report("active")
    world.work()
    world.pass_time(days=101)
    assert prune(world.now).keys() >= {"mails", "incidents", "state changes"}
    assert rows() == [1, 0, 0, 0, 0, 0]


def test_a_mail_about_an_open_incident_keeps_the_other_ones_that_it_names(world: World) -> None:
    world.group(wait=30, interval=0)
    world.report("failed", "one")
    world.report("failed", "two")
    world.plan()
    world.pass_time(seconds=31)
    assert len(world.work()) == 2
    world.report("active", "one")
    world.work()
    world.pass_time(days=1000)
    prune(world.now)
    assert (Incident.objects.count(), EmailNotice.objects.count()) == (2, 4)
    world.report("active", "two")
    world.work()
    world.pass_time(days=101)
    prune(world.now)
    assert (Incident.objects.count(), EmailNotice.objects.count()) == (0, 0)


def test_an_incident_whose_end_is_not_planned_yet_stays_with_its_mails(world: World) -> None:
    world.report("failed")
    world.work()
    world.pass_time(days=200)
    world.report("active", occurred_at=(world.now - 150 * DAY).isoformat())
    assert "mails" not in prune(world.now)
    assert Incident.objects.count() == 1


def test_a_recovery_is_told_to_those_who_were_told_long_ago(world: World) -> None:
    subscription = world.subscription("ada")
    subscription.tells_recovery = True
    subscription.save()
    world.report("failed")
    world.work()
    world.pass_time(days=200)
    world.report("active", occurred_at=(world.now - 150 * DAY).isoformat())
    from integration_alerts.engine import advancing

    prune(world.now)
    advancing.plan(world.now, "platform.example")
    prune(world.now, afresh=True)
    assert [mail for mail in world.work() if "ada@" in mail]


def test_a_mail_that_told_of_a_flapping_stays_while_it_goes_on(world: World) -> None:
    for _ in range(3):
        broken_and_mended(world)
        world.pass_time(hours=2)
    for _ in range(6):
        world.pass_time(hours=19)
        broken_and_mended(world)
    policy = replace(POLICY, emails=3 * DAY)
    told = Email.objects.filter(items__notice__flapping=True).count()
    assert prune(world.now, policy)["mails"] == 4
    assert told == Email.objects.count() == 2
    world.pass_time(days=4)
    assert prune(world.now, policy)["mails"] == 2


def test_a_mail_that_waits_for_its_server_stays(world: World) -> None:
    world.report("failed")
    world.plan()
    Incident.objects.update(closed_at=world.now, next_notice_at=None)
    world.pass_time(days=1000)
    assert prune(world.now).keys() == {"event ids"}
    assert {row.status for row in Email.objects.all()} == {"queued"}


def test_a_mail_with_very_many_notices_goes_in_pieces(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integration_alerts.mail.pruning._MOST_ITEMS", 2)
    world.group(wait=30, interval=0)
    names = [f"ads-{number}" for number in range(5)]
    world.take(*(world.a_report("failed", name) for name in names))
    world.plan()
    world.pass_time(seconds=31)
    world.work()
    assert EmailNotice.objects.count() == 10
    world.take(*(world.a_report("active", name) for name in names))
    world.work()
    world.pass_time(days=60)
    assert prune(world.now)["mails"] == 2
    assert EmailNotice.objects.count() == 0


def test_the_inbox_is_emptied_like_the_texts_of_mails(world: World) -> None:
    for _ in range(2):
        InboxMessage.objects.create(received_at=world.now, sender="a", recipient="b", message=b"c")
        world.pass_time(days=6)
    assert prune(world.now) == {"mails in the inbox": 1}
    assert InboxMessage.objects.count() == 1


def test_a_dry_run_counts_what_would_go_and_changes_nothing(world: World) -> None:
    broken_and_mended(world)
    broken_and_mended(world, "two")
    world.report("failed", "three")
    world.work()
    world.pass_time(days=200)
    before = rows()
    counted = prune(world.now, dry=True)
    assert (rows(), Bookmark.objects.count()) == (before, 0)
    assert prune(world.now) == counted
    assert counted["incidents"] == 2


def test_pruning_goes_on_where_it_stopped(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        world.report("active", f"ads-{number}")
        world.report("disabled", f"ads-{number}")
    world.pass_time(days=101)
    steps = retention.prune(POLICY, world.now)
    while StateChange.objects.count() == 10:
        next(steps)
    steps.close()
    assert StateChange.objects.count() == 9
    assert prune(world.now)["state changes"] == 4


def test_a_walk_that_fails_leaves_the_others_going(world: World) -> None:
    broken_and_mended(world)
    world.pass_time(days=200)
    with connection.cursor() as cursor:
        cursor.execute("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS"
                       " $$ BEGIN RAISE 'no'; END $$")  # fmt: skip
        cursor.execute("CREATE TRIGGER no BEFORE DELETE ON report_receipt"
                       " FOR EACH ROW EXECUTE FUNCTION no()")  # fmt: skip
    assert prune(world.now).keys() == {"texts of mails", "mails", "incidents", "state changes"}


def test_the_statements_of_a_batch_do_not_grow_with_its_rows(world: World) -> None:
    def statements(number: int) -> int:
        for each in range(number):
            broken_and_mended(world, f"ads-{number}-{each}")
        world.pass_time(days=200)
        with CaptureQueriesContext(connection) as captured:
            assert prune(world.now, afresh=True)["incidents"] == number
        return len(captured)

    statements(1)  # from now on there are bookmarks
    assert statements(2) == statements(6) <= 50


def test_a_worker_prunes_until_it_is_told_to_stop(world: World) -> None:
    broken_and_mended(world)
    world.pass_time(days=200)
    assert retention.prune_for_a_while(POLICY, world.now, lambda: True)["mails"] == 0
    pruned = retention.prune_for_a_while(POLICY, world.now, lambda: False)
    assert pruned["incidents"] == 1


def test_progress_grows_to_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    for _ in range(4):
        broken_and_mended(world)
        world.pass_time(days=10)
    world.pass_time(days=200)
    done = [progress.done for progress in retention.prune(POLICY, world.now)]
    assert done == sorted(done)
    assert done[-1] == 1


def test_a_bounce_of_a_mail_that_is_gone_is_ignored(world: World) -> None:
    broken_and_mended(world)
    (mail, *_) = Email.objects.all()
    world.pass_time(days=200)
    prune(world.now)
    report = Report(BounceKind.HARD, Fault.NO_MAILBOX, "5.1.1", "no such user", "dsn")
    taken = bounces.take(report, mail.pk, world.now)
    assert (taken.result, taken.reason) == (bounces.Result.IGNORED, bounces.Reason.NO_EMAIL)


@contextmanager
def impatient() -> Iterator[None]:
    """This thread waits no longer than a second for a lock; its connection is pooled."""
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '1s'")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_a_batch_and_a_batch_for_nobody() -> None:
    world = World()
    broken_and_mended(world)
    world.pass_time(days=200)
    world.report("failed", "two")
    world.plan()
    claimed = outbox.claim(world.worker, world.now, 1, STATIONERY)
    with impatient(), transaction.atomic():
        pruned = prune(world.now)  # all its batches, not committed
        assert pruned["mails"] == 2
        assert pruned["incidents"] == 1
        errors: list[BaseException] = []

        def work() -> None:
            try:
                with impatient():
                    world.report("failed")
                    world.report("active", "two")
                    world.report("failed", "three")
                    world.work()
                    outbox.record(
                        [
                            outbox.Attempt(email, ACCEPTED, world.now, world.now, 0.5)
                            for email in claimed
                        ],
                        world.worker,
                    )
            except BaseException as error:
                errors.append(error)
            finally:
                connection.close()

        other = threading.Thread(target=work)
        other.start()
        other.join()
    assert errors == []
