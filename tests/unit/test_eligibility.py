"""R11, R14, R19, R20: whether one member may be told about one company's integrations."""

from dataclasses import astuple, replace
from itertools import combinations, product
from typing import Any

import pytest

from integration_alerts.rules.eligibility import Candidate, Obstacle, Role, may_access, obstacle

ADMINISTRATOR, MANAGER, REPORTING = Role

MANAGER_WHO_IS_TOLD = Candidate(
    role=MANAGER,
    active=True,
    email_verified=True,
    assigned=True,
    subscribed=True,
    paused=False,
    covered=True,
    suppressed=False,
)

# Each obstacle and the one fact that makes it, in the order in which they are named.
OBSTACLES: list[tuple[Obstacle, dict[str, Any]]] = [
    (Obstacle.NOT_ACTIVE, {"active": False}),
    (Obstacle.REPORTING, {"role": REPORTING}),
    (Obstacle.NOT_VERIFIED, {"email_verified": False}),
    (Obstacle.NO_ACCESS, {"assigned": False}),
    (Obstacle.NOT_SUBSCRIBED, {"subscribed": False}),
    (Obstacle.PAUSED, {"paused": True}),
    (Obstacle.NOT_COVERED, {"covered": False}),
    (Obstacle.BOUNCED, {"suppressed": True}),
]
NAMES = [found.name for found, _ in OBSTACLES]


@pytest.mark.parametrize(
    "candidate",
    [
        pytest.param(MANAGER_WHO_IS_TOLD, id="manager-who-is-assigned"),
        pytest.param(replace(MANAGER_WHO_IS_TOLD, role=ADMINISTRATOR), id="administrator"),
        pytest.param(
            replace(MANAGER_WHO_IS_TOLD, role=ADMINISTRATOR, assigned=False),
            id="administrator-who-is-not-assigned",
        ),
    ],
)
def test_whoever_meets_every_condition_is_told(candidate: Candidate) -> None:
    assert obstacle(candidate) is None


@pytest.mark.parametrize(("expected", "fact"), OBSTACLES, ids=NAMES)
def test_one_missing_condition_is_enough_and_is_named(
    expected: Obstacle, fact: dict[str, Any]
) -> None:
    assert obstacle(replace(MANAGER_WHO_IS_TOLD, **fact)) is expected


@pytest.mark.parametrize(
    ("first", "second"),
    list(combinations(OBSTACLES, 2)),
    ids=[f"{first}-before-{second}" for first, second in combinations(NAMES, 2)],
)
def test_of_two_obstacles_the_more_fundamental_is_named(
    first: tuple[Obstacle, dict[str, Any]], second: tuple[Obstacle, dict[str, Any]]
) -> None:
    assert obstacle(replace(MANAGER_WHO_IS_TOLD, **second[1], **first[1])) is first[0]


def test_every_obstacle_is_in_the_tables() -> None:
    assert [found for found, _ in OBSTACLES] == list(Obstacle)


def test_an_administrator_without_assignment_has_access_but_still_needs_a_subscription() -> None:
    candidate = replace(
        MANAGER_WHO_IS_TOLD, role=ADMINISTRATOR, assigned=False, subscribed=False, covered=False
    )
    assert obstacle(candidate) is Obstacle.NOT_SUBSCRIBED


def test_all_companies_do_not_include_those_that_a_manager_is_not_assigned_to() -> None:
    covering_all = replace(MANAGER_WHO_IS_TOLD, covered=True, assigned=False)
    assert obstacle(covering_all) is Obstacle.NO_ACCESS


def test_whoever_becomes_eligible_again_is_told_again() -> None:
    demoted = replace(MANAGER_WHO_IS_TOLD, role=REPORTING)
    assert obstacle(demoted) is Obstacle.REPORTING
    assert obstacle(replace(demoted, role=MANAGER)) is None


@pytest.mark.parametrize(
    ("role", "assigned", "expected"),
    [
        (ADMINISTRATOR, True, True),
        (ADMINISTRATOR, False, True),
        (MANAGER, True, True),
        (MANAGER, False, False),
        (REPORTING, True, True),
        (REPORTING, False, False),
    ],
)
def test_an_administrator_sees_every_company_and_others_the_assigned_ones(
    role: Role, assigned: bool, expected: bool
) -> None:
    assert may_access(role, assigned=assigned) is expected


def test_nobody_else_is_told_and_nobody_is_forgotten() -> None:
    flags = list(product([True, False], repeat=7))
    everybody = [Candidate(role, *facts) for role in Role for facts in flags]
    assert len(set(everybody)) == 3 * 2**7
    told = {astuple(candidate) for candidate in everybody if obstacle(candidate) is None}
    assert told == {
        # role, active, verified, assigned, subscribed, paused, covered, suppressed
        (ADMINISTRATOR, True, True, True, True, False, True, False),
        (ADMINISTRATOR, True, True, False, True, False, True, False),
        (MANAGER, True, True, True, True, False, True, False),
    }


def test_roles_are_the_words_of_the_public_interface() -> None:
    assert [str(role) for role in Role] == ["administrator", "manager", "reporting"]
