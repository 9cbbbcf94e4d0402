"""Reports that come in at the same moment: none is lost, none counts twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from django.db import connections
from tests.world import World

from integration_alerts.directory.models import Suppression
from integration_alerts.mail import bounces, dsn
from integration_alerts.mail.bounces import Result
from integration_alerts.mail.models import Bounce, Email

pytestmark = pytest.mark.django_db(transaction=True)

FULL = dsn.returned("5.2.2", "552 5.2.2 mailbox full", "dsn")


def at_once(ids: list[int], now: datetime) -> list[Result]:
    """Take a report about each of these emails, each in a thread of its own."""

    def take(email_id: int) -> Result:
        try:
            return bounces.take(FULL, email_id, now).result
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(ids)) as threads:
        return sorted(threads.map(take, ids))


def mailed(count: int) -> tuple[World, list[int]]:
    """So many mails to Max that a server has accepted."""
    world = World()
    for number in range(count):
        world.report("failed", f"ads-{number}")
        world.work()
    rows = Email.objects.filter(member=world.member("max"))
    return world, list(rows.values_list("pk", flat=True))


def test_three_soft_bounces_at_once_hold_the_address_back_once() -> None:
    world, ids = mailed(3)
    assert at_once(ids, world.now) == [Result.RECORDED] * 3
    assert [row.address for row in Suppression.objects.all()] == ["max@acme.example"]


def test_one_report_that_comes_in_six_times_at_once_is_recorded_once() -> None:
    world, ids = mailed(1)
    results = at_once(ids * 6, world.now)
    assert results == [Result.DUPLICATE] * 5 + [Result.RECORDED]
    assert (Bounce.objects.count(), Suppression.objects.count()) == (1, 0)
