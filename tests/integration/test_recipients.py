"""Who is told, when a mail is put together and right before it is sent (SPEC R11 to R15, R20)."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.world import World

from integration_alerts.alerts import subscribing
from integration_alerts.alerts.recipients import recipients, verdicts
from integration_alerts.directory import suppressions
from integration_alerts.rules.eligibility import Obstacle
from integration_alerts.rules.permissions import ALL_COMPANIES
from integration_alerts.rules.suppression import BounceKind

pytestmark = pytest.mark.django_db

ADA = {"type": "user", "account": "acme", "id": "ada"}
MAX = {"type": "user", "account": "acme", "id": "max"}
SUBSCRIPTION = {"type": "subscription", "account": "acme", "user": "max"}


def told(world: World, company: str) -> list[str]:
    found = recipients([world.company(company).pk])
    return [recipient.address for recipient in found[world.company(company).pk]]


def test_administrators_hear_of_all_companies_and_managers_of_theirs(world: World) -> None:
    assert told(world, "north") == ["ada@acme.example", "max@acme.example"]
    assert told(world, "south") == ["ada@acme.example"]


def test_all_companies_include_those_assigned_later(world: World) -> None:
    world.directory({**MAX, "companies": ["north", "south"]})
    assert told(world, "south") == ["ada@acme.example", "max@acme.example"]


@pytest.mark.parametrize(
    "line",
    [
        {**MAX, "role": "reporting"},
        {**MAX, "active": False},
        {**MAX, "companies": []},
        {**SUBSCRIPTION, "deleted": True},
        {**SUBSCRIPTION, "companies": ["south"]},
    ],
    ids=["demoted", "deactivated", "unassigned", "subscription deleted", "scope elsewhere"],
)
def test_whoever_loses_what_it_takes_is_not_told(world: World, line: dict[str, Any]) -> None:
    world.directory(line)
    assert told(world, "north") == ["ada@acme.example"]


def test_a_paused_subscription_and_an_unverified_address_are_not_told(world: World) -> None:
    subscribing.pause(world.subscription("max"), world.now)
    ada = world.member("ada")
    ada.email_verified = False
    ada.save()
    assert told(world, "north") == []


def hold_back(world: World, address: str) -> None:
    suppressions.suppress(
        world.member("max"), address, BounceKind.HARD, "the mailbox does not exist", world.now
    )


def test_an_address_that_mail_came_back_from_is_not_told(world: World) -> None:
    hold_back(world, "max@acme.example")
    assert told(world, "north") == ["ada@acme.example"]
    pair = (world.member("max").pk, world.company("north").pk)
    assert verdicts([pair])[pair].obstacle is Obstacle.BOUNCED


def test_an_address_that_somebody_lifted_and_a_former_one_hold_nothing_back(world: World) -> None:
    hold_back(world, "max@former.example")
    hold_back(world, "max@acme.example")
    current = suppressions.current([world.member("max")])
    suppressions.lift(current[world.member("max").pk], world.now, None)
    assert "max@acme.example" in told(world, "north")


def test_whoever_becomes_eligible_again_is_told_again(world: World) -> None:
    world.directory({**MAX, "role": "reporting"}, {**MAX, "role": "manager"})
    assert "max@acme.example" in told(world, "north")


def test_nobody_of_another_account_is_told(world: World) -> None:
    world.directory(
        {"type": "account", "id": "other", "name": "Other"},
        {
            "type": "user", "account": "other", "id": "eve", "email": "eve@other.example",
            "name": "Eve", "role": "administrator",
        },
        {"type": "subscription", "account": "other", "user": "eve", "companies": "all"},
    )  # fmt: skip
    assert told(world, "north") == ["ada@acme.example", "max@acme.example"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({**MAX, "role": "reporting"}, "reporting users get no integration alerts"),
        ({**MAX, "active": False}, "the user is deactivated"),
        ({**MAX, "companies": ["south"]}, "the user has no access to this company"),
        ({**SUBSCRIPTION, "deleted": True}, "the user has no integration alert"),
        (
            {**SUBSCRIPTION, "companies": ["south"]},
            "the integration alert does not cover this company",
        ),
    ],
)  # fmt: skip
def test_a_queued_mail_is_cancelled_with_the_reason(
    world: World, line: dict[str, Any], reason: str
) -> None:
    world.report("failed")
    world.plan()
    world.directory(line)
    world.deliver()
    assert world.emails() == ["ada sent", f"max cancelled {reason}"]


def test_the_mail_goes_to_the_address_of_the_moment(world: World) -> None:
    world.report("failed")
    world.plan()
    world.directory({**ADA, "email": "ada@new.example"})
    world.deliver()
    assert sorted(to for to, _ in world.mailer.sent) == ["ada@new.example", "max@acme.example"]


def test_nobody_to_tell_is_recorded_as_such(world: World) -> None:
    subscribing.pause(world.subscription("max"), world.now)
    subscribing.pause(world.subscription("ada"), world.now)
    world.report("failed")
    assert world.work() == []
    assert world.notices() == ["failed alert no_recipient"]


@pytest.mark.parametrize("count", [1, 3, 300])
def test_one_statement_finds_the_recipients_of_any_number_of_companies(
    world: World, count: int
) -> None:
    names = [f"company-{number}" for number in range(count)]
    world.directory(
        *({"type": "company", "account": "acme", "id": name, "name": name} for name in names)
    )
    ids = [world.company(name).pk for name in names]
    with CaptureQueriesContext(connection) as queries:
        found = recipients(ids)
    assert len(queries) == 1
    assert {len(told) for told in found.values()} == {1}


def test_someone_without_a_subscription_is_not_told_until_they_have_one(world: World) -> None:
    world.directory(
        {
            "type": "user", "account": "acme", "id": "new", "email": "new@acme.example",
            "name": "New", "role": "administrator",
        }
    )  # fmt: skip
    assert "new@acme.example" not in told(world, "north")
    subscribing.create(world.member("new"), ALL_COMPANIES, world.now)
    assert "new@acme.example" in told(world, "north")
