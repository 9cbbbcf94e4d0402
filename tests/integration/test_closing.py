"""Incidents end when what they are about is switched off, and begin again with it (SPEC R3)."""

from typing import Any

import pytest
from tests.world import World

from integration_alerts.directory.models import Company

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


def test_a_company_switched_on_in_a_closed_account_waits_for_the_account(world: World) -> None:
    world.report("failed")
    world.work()
    world.directory({**ACCOUNT, "active": False}, {**COMPANY, "active": False})
    world.pass_time(hours=1)
    world.directory({**COMPANY, "active": True})
    assert world.open_incidents() == 0
    world.pass_time(hours=1)
    world.directory({**ACCOUNT, "active": True})
    assert len(world.work()) == 2


def test_an_integration_moved_to_a_switched_off_company_is_told_when_that_is_on(
    world: World,
) -> None:
    south = {"type": "company", "account": "acme", "id": "south"}
    world.report("failed")
    world.work()
    world.directory({**south, "active": False}, {**INTEGRATION, "company": "south"})
    assert world.open_incidents() == 0
    assert world.live(days=8) == []
    world.directory({**south, "active": True})
    assert world.work() == ["ada@acme.example: ads for South stopped working"]


def test_an_integration_moved_out_of_a_switched_off_company_is_told(world: World) -> None:
    world.report("failed")
    world.work()
    world.directory({**COMPANY, "active": False}, {**INTEGRATION, "company": "south"})
    assert world.work() == ["ada@acme.example: ads for South stopped working"]


def test_an_incident_that_slipped_in_while_its_company_went_off_tells_nobody_until_it_is_on(
    world: World,
) -> None:
    world.report("failed")
    Company.objects.filter(external_id="north").update(active=False)  # not seen by the report
    world.pass_time(minutes=1)
    assert world.work() == []
    assert "cancelled the company is switched off" in world.emails()[0]
    world.directory({**COMPANY, "active": True})
    assert len(world.work()) == 2
