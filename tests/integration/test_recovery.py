"""Mails that say it is over, for those who want them (SPEC R10)."""

import pytest
from tests.world import World

from integration_alerts.alerts.models import Subscription

pytestmark = pytest.mark.django_db


@pytest.fixture
def telling(world: World) -> World:
    """Acme, where Ada wants to hear that it is over, and Max does not."""
    Subscription.objects.filter(member=world.member("ada")).update(tells_recovery=True)
    return world


def recipients(mails: list[str]) -> list[str]:
    return [mail.partition("@")[0] for mail in mails]


@pytest.mark.parametrize("state", ["active", "disabled"])
def test_who_opted_in_is_told_that_it_is_over(telling: World, state: str) -> None:
    telling.report("failed")
    telling.work()
    telling.pass_time(minutes=5)
    telling.report(state)
    assert recipients(telling.work()) == ["ada"]
    assert telling.live(days=30) == []
    assert f"{state} recovery composed" in telling.notices()


def test_nobody_is_told_by_default(world: World) -> None:
    world.report("failed")
    world.work()
    world.pass_time(minutes=5)
    world.report("active")
    assert world.work() == []
    assert not any("recovery" in notice for notice in world.notices())


def test_who_was_not_told_of_it_is_not_told_of_its_end(telling: World) -> None:
    telling.report("pending")
    telling.pass_time(hours=1)
    telling.report("active")
    assert telling.live(days=1) == []


def test_one_that_fails_again_is_not_said_to_be_well(telling: World) -> None:
    telling.report("failed")
    telling.work()
    telling.group(wait=30, interval=0)
    telling.report("active")
    telling.plan()
    telling.pass_time(seconds=10)
    telling.report("failed")
    telling.plan()
    telling.pass_time(seconds=30)
    assert all("stopped working" in mail for mail in telling.work())


@pytest.mark.parametrize(
    "line",
    [
        {"type": "integration", "account": "acme", "company": "north", "id": "ads",
         "deleted": True},
        {"type": "company", "account": "acme", "id": "north", "active": False},
        {"type": "account", "id": "acme", "active": False},
    ],
)  # fmt: skip
def test_what_was_deleted_or_switched_off_is_not_said_to_be_well(
    telling: World, line: dict[str, object]
) -> None:
    telling.report("failed")
    telling.work()
    telling.directory(line)
    assert telling.live(days=1) == []


def test_who_opts_out_while_it_waits_is_not_told(telling: World) -> None:
    telling.report("failed")
    telling.work()
    telling.group(wait=30, interval=0)
    telling.report("active")
    telling.plan()
    Subscription.objects.update(tells_recovery=False)
    telling.pass_time(seconds=30)
    assert telling.work() == []
    assert "ada cancelled the recipient does not want to hear that it is over" in telling.emails()


def test_a_paused_alert_tells_nothing(telling: World) -> None:
    telling.report("failed")
    telling.work()
    Subscription.objects.update(paused_at=telling.now)
    telling.report("active")
    assert telling.work() == []


def test_a_flapping_integration_is_not_said_to_be_well(telling: World) -> None:
    mails = []
    for _ in range(4):
        telling.report("failed")
        mails += telling.work()
        telling.pass_time(minutes=10)
        telling.report("active")
        mails += telling.work()
        telling.pass_time(minutes=10)
    to_ada = [mail.partition(": ")[2] for mail in mails if mail.startswith("ada@")]
    assert to_ada[-1] == "ads for North keeps failing"
    assert sum("works again" in mail for mail in to_ada) == 2


def test_one_that_was_broken_for_a_day_is_no_longer_flapping_when_it_is_over(
    telling: World,
) -> None:
    for _ in range(2):
        telling.report("failed")
        telling.work()
        telling.pass_time(minutes=10)
        telling.report("active")
        telling.work()
    telling.report("failed")
    telling.work()
    telling.live(days=2)
    telling.report("active")
    assert recipients(telling.work()) == ["ada"]
