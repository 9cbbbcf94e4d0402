"""What a form may offer: whom, which companies, which names may be read (SPEC R18, R20, R21)."""

import pytest
from tests.unit.people import (
    ACTOR,
    ADMIN,
    COLLEAGUE,
    ELSEWHERE,
    HIDDEN,
    JUNIOR,
    MINE,
    OTHER_ADMIN,
    REPORTER,
    SHARED,
    SHARED_TOO,
    STRANGER,
    only,
)

from integration_alerts.rules.permissions import (
    ALL_COMPANIES,
    Denial,
    Person,
    Scope,
    choosable,
    edited_scope,
    may_choose_all,
    may_know,
    seen,
)


@pytest.mark.parametrize(
    ("actor", "recipient", "current", "expected"),
    [
        (ADMIN, OTHER_ADMIN, only(), None),
        (ADMIN, ADMIN, ALL_COMPANIES, None),
        (ADMIN, COLLEAGUE, only(), COLLEAGUE.companies),
        (ADMIN, COLLEAGUE, only(ELSEWHERE), COLLEAGUE.companies | {ELSEWHERE}),
        (ACTOR, ACTOR, only(), ACTOR.companies),
        (ACTOR, COLLEAGUE, only(), {SHARED, SHARED_TOO}),
        (ACTOR, COLLEAGUE, only(HIDDEN), {SHARED, SHARED_TOO}),
        (ACTOR, JUNIOR, only(MINE), {SHARED, SHARED_TOO, MINE}),
        (ACTOR, JUNIOR, ALL_COMPANIES, {SHARED, SHARED_TOO}),
    ],
)
def test_the_companies_that_an_edit_may_name(
    actor: Person, recipient: Person, current: Scope, expected: set[int] | None
) -> None:
    assert choosable(actor, recipient, current) == expected


@pytest.mark.parametrize("current", [only(SHARED), only(SHARED, HIDDEN), only(HIDDEN, MINE)])
@pytest.mark.parametrize("recipient", [ACTOR, COLLEAGUE, JUNIOR])
@pytest.mark.parametrize("actor", [ADMIN, ACTOR])
def test_whatever_is_offered_is_accepted(actor: Person, recipient: Person, current: Scope) -> None:
    for company in choosable(actor, recipient, current) or set():
        assert not isinstance(edited_scope(actor, recipient, current, only(company)), Denial)


@pytest.mark.parametrize(
    ("actor", "recipient", "expected"),
    [
        (ADMIN, COLLEAGUE, True),
        (ACTOR, ACTOR, True),
        (ACTOR, COLLEAGUE, False),
        (None, ACTOR, True),
    ],
)
def test_who_may_give_all_companies(
    actor: Person | None, recipient: Person, *, expected: bool
) -> None:
    assert may_choose_all(actor, recipient) is expected


@pytest.mark.parametrize(
    ("viewer", "other", "expected"),
    [
        (ADMIN, STRANGER, True),
        (ACTOR, ACTOR, True),
        (ACTOR, COLLEAGUE, True),
        (ACTOR, OTHER_ADMIN, True),
        (ACTOR, STRANGER, False),
        (REPORTER, COLLEAGUE, False),
        (REPORTER, REPORTER, True),
    ],
)
def test_whose_names_may_be_read(viewer: Person, other: Person, *, expected: bool) -> None:
    assert may_know(viewer, other) is expected


@pytest.mark.parametrize(
    ("actor", "expected"),
    [(ADMIN, {MINE, HIDDEN}), (ACTOR, {MINE}), (REPORTER, {MINE})],
)
def test_the_companies_whose_names_may_be_read(actor: Person, expected: set[int]) -> None:
    assert seen(actor, {MINE, HIDDEN}) == expected
