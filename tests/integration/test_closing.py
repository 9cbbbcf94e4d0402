"""Incidents end when what they are about is switched off, and begin again with it (SPEC R3)."""

from typing import Any

import pytest
from tests.world import World

pytestmark = pytest.mark.django_db

COMPANY = {"type": "company", "account": "acme", "id": "north"}
ACCOUNT = {"type": "account", "id": "acme"}
INTEGRATION = {"type": "integration", "account": "acme", "company": "north", "id": "ads"}


@pytest.mark.parametrize(
    "line",
    [{**COMPANY, "active": False}, {**ACCOUNT, "active": False}, {**INTEGRATION, "deleted": True}],
    ids=["company", "account", "integration"],
)
def test_switching_off_closes_the_incident_and_takes_queued_mails_back(
    world: World, line: dict[str, Any]
) -> None:
    world.report("failed")
    world.plan()
    world.directory(line)
    assert world.work() == []
    assert world.open_incidents() == 0
    assert [email.split()[1] for email in world.emails()] == ["cancelled", "cancelled"]


@pytest.mark.parametrize(
    ("line", "words"),
    [(COMPANY, "switched off"), (ACCOUNT, "is closed")],
    ids=["company", "account"],
)
def test_reports_for_what_is_off_are_rejected(
    world: World, line: dict[str, Any], words: str
) -> None:
    world.directory({**line, "active": False})
    (taken,) = world.take(world.a_report("failed"))
    assert words in taken.outcome.error


@pytest.mark.parametrize("line", [COMPANY, ACCOUNT], ids=["company", "account"])
def test_what_is_still_broken_is_told_when_it_is_switched_on_again(
    world: World, line: dict[str, Any]
) -> None:
    world.report("failed")
    world.work()
    world.directory({**line, "active": False})
    world.live(days=30)
    world.directory({**line, "active": True})
    assert len(world.work()) == 2
    assert world.integration().state_since == world.now


def test_switching_on_what_is_on_changes_nothing(world: World) -> None:
    world.report("failed")
    world.work()
    world.directory({**COMPANY, "active": True}, {**ACCOUNT, "active": True})
    assert world.work() == []
    assert world.open_incidents() == 1


def test_switching_on_a_company_of_a_healthy_integration_tells_nobody(world: World) -> None:
    world.report("active")
    world.directory({**COMPANY, "active": False}, {**COMPANY, "active": True})
    assert world.work() == []


def test_a_deleted_integration_comes_back_with_its_next_report(world: World) -> None:
    world.report("failed")
    world.work()
    late = world.a_report("failed")
    world.pass_time(hours=1)
    world.directory({**INTEGRATION, "deleted": True}, {**INTEGRATION, "deleted": True})
    assert world.take(late)[0].outcome.result.value == "stale"
    assert world.integration().deleted_at is not None
    world.pass_time(hours=1)
    assert world.report("failed") == "applied"
    assert world.integration().deleted_at is None
    assert len(world.work()) == 2


def test_deleting_an_unknown_integration_does_nothing(world: World) -> None:
    world.directory({**INTEGRATION, "deleted": True})
    assert world.open_incidents() == 0
