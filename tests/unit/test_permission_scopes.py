"""R18, R21: which companies an alert may be created for, and what an edit makes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.people import (
    ACTOR,
    ADMIN,
    COLLEAGUE,
    ELSEWHERE,
    HIDDEN,
    JUNIOR,
    MINE,
    OTHER_ADMIN,
    PEER,
    PLATFORM,
    SHARED,
    SHARED_TOO,
    UNASSIGNED,
    only,
)

from integration_alerts.rules.eligibility import Role
from integration_alerts.rules.permissions import (
    ALL_COMPANIES,
    Denial,
    Person,
    Scope,
    edited_scope,
    may_create,
    may_end,
    may_resume,
    reach,
)


@pytest.mark.parametrize(
    ("actor", "recipient", "wanted", "denial"),
    [
        pytest.param(ACTOR, ACTOR, ALL_COMPANIES, None, id="own-all"),
        pytest.param(UNASSIGNED, UNASSIGNED, ALL_COMPANIES, None, id="own-all-of-none-yet"),
        pytest.param(ACTOR, ACTOR, only(MINE, SHARED), None, id="own-chosen"),
        pytest.param(
            ACTOR, ACTOR, only(MINE, HIDDEN), Denial.COMPANY_NOT_ACCESSIBLE, id="own-not-assigned"
        ),
        pytest.param(ACTOR, ACTOR, only(), Denial.NO_COMPANY, id="own-none"),
        pytest.param(ADMIN, ADMIN, only(ELSEWHERE), None, id="administrator-own-any-company"),
        pytest.param(ADMIN, OTHER_ADMIN, only(ELSEWHERE), None, id="administrators-any-company"),
        pytest.param(ADMIN, ACTOR, ALL_COMPANIES, None, id="by-administrator-all"),
        pytest.param(ADMIN, ACTOR, only(MINE), None, id="by-administrator-chosen"),
        pytest.param(
            ADMIN, ACTOR, only(MINE, HIDDEN), Denial.COMPANY_NOT_ACCESSIBLE,
            id="by-administrator-recipient-not-assigned",
        ),
        pytest.param(ADMIN, ACTOR, only(), Denial.NO_COMPANY, id="by-administrator-none"),
        pytest.param(ACTOR, COLLEAGUE, only(SHARED), None, id="colleague-shared"),
        pytest.param(ACTOR, COLLEAGUE, only(SHARED, SHARED_TOO), None, id="colleague-all-shared"),
        pytest.param(ACTOR, COLLEAGUE, ALL_COMPANIES, Denial.ALL_COMPANIES, id="colleague-all"),
        pytest.param(ACTOR, JUNIOR, ALL_COMPANIES, Denial.ALL_COMPANIES, id="junior-all"),
        pytest.param(ACTOR, COLLEAGUE, only(), Denial.NO_COMPANY, id="colleague-none"),
        pytest.param(
            ACTOR, COLLEAGUE, only(SHARED, HIDDEN), Denial.COMPANY_NOT_SHARED,
            id="colleague-not-the-actors",
        ),
        pytest.param(
            ACTOR, COLLEAGUE, only(SHARED, MINE), Denial.COMPANY_NOT_SHARED,
            id="colleague-not-the-recipients",
        ),
        pytest.param(PLATFORM, ACTOR, ALL_COMPANIES, None, id="platform-all"),
        pytest.param(PLATFORM, ACTOR, only(HIDDEN), None, id="platform-access-comes-later"),
        pytest.param(PLATFORM, ACTOR, only(), Denial.NO_COMPANY, id="platform-none"),
    ],
)  # fmt: skip
def test_an_alert_can_be_created_for_companies_that_all_concerned_may_access(
    actor: Person | None, recipient: Person, wanted: Scope, denial: Denial | None
) -> None:
    assert may_create(actor, recipient, wanted) is denial


@pytest.mark.parametrize(
    ("current", "wanted", "result"),
    [
        pytest.param(only(SHARED), only(SHARED, SHARED_TOO), only(SHARED, SHARED_TOO), id="add"),
        pytest.param(only(SHARED, SHARED_TOO), only(SHARED_TOO), only(SHARED_TOO), id="remove"),
        pytest.param(only(SHARED), only(SHARED_TOO), only(SHARED_TOO), id="exchange"),
        pytest.param(
            only(SHARED, HIDDEN), only(SHARED), only(SHARED, HIDDEN), id="hidden-stays-on-no-change"
        ),
        pytest.param(
            only(SHARED, HIDDEN), only(SHARED_TOO), only(SHARED_TOO, HIDDEN),
            id="hidden-stays-on-exchange",
        ),
        pytest.param(only(SHARED, HIDDEN), only(), only(HIDDEN), id="hidden-stays-alone"),
        pytest.param(only(HIDDEN), only(SHARED), only(SHARED, HIDDEN), id="hidden-stays-on-add"),
        pytest.param(
            only(SHARED, ELSEWHERE), only(SHARED_TOO), only(SHARED_TOO, ELSEWHERE),
            id="what-neither-can-see-stays",
        ),
        pytest.param(
            only(SHARED, MINE), only(SHARED_TOO), only(SHARED_TOO, MINE),
            id="what-the-recipient-lost-stays-for-their-return",
        ),
        pytest.param(
            only(SHARED, MINE), only(SHARED, MINE), only(SHARED, MINE),
            id="what-the-recipient-lost-may-be-named",
        ),
        pytest.param(only(SHARED), only(), Denial.NO_COMPANY, id="nothing-left"),
        pytest.param(only(SHARED), ALL_COMPANIES, Denial.ALL_COMPANIES, id="never-all"),
        pytest.param(
            only(SHARED), only(SHARED, HIDDEN), Denial.COMPANY_NOT_SHARED, id="not-the-actors"
        ),
        pytest.param(
            only(SHARED, HIDDEN), only(SHARED, HIDDEN), Denial.COMPANY_NOT_SHARED,
            id="no-answer-to-a-guess-at-what-is-hidden",
        ),
        pytest.param(
            only(SHARED), only(SHARED, MINE), Denial.COMPANY_NOT_SHARED, id="not-the-recipients"
        ),
        pytest.param(
            ALL_COMPANIES, only(SHARED), Denial.COVERS_MORE, id="all-covers-what-is-hidden"
        ),
        pytest.param(
            ALL_COMPANIES, ALL_COMPANIES, Denial.COVERS_MORE, id="all-stays-out-of-reach"
        ),
    ],
)  # fmt: skip
def test_a_manager_edits_only_the_shared_part_of_a_colleagues_alert(
    current: Scope, wanted: Scope, result: Scope | Denial
) -> None:
    assert edited_scope(ACTOR, COLLEAGUE, current, wanted) == result


@pytest.mark.parametrize(
    ("recipient", "wanted", "result"),
    [
        pytest.param(JUNIOR, only(SHARED), only(SHARED), id="to-a-shared-company"),
        pytest.param(JUNIOR, only(SHARED, SHARED_TOO), only(SHARED, SHARED_TOO), id="to-shared"),
        pytest.param(PEER, only(MINE), only(MINE), id="a-peers-to-one"),
        pytest.param(JUNIOR, only(MINE), Denial.COMPANY_NOT_SHARED, id="to-one-of-the-actors-only"),
        pytest.param(JUNIOR, only(), Denial.NO_COMPANY, id="to-none"),
        pytest.param(JUNIOR, ALL_COMPANIES, Denial.ALL_COMPANIES, id="to-all-companies"),
    ],
)
def test_a_manager_may_narrow_all_companies_where_they_hide_nothing_from_them(
    recipient: Person, wanted: Scope, result: Scope | Denial
) -> None:
    assert edited_scope(ACTOR, recipient, ALL_COMPANIES, wanted) == result


@pytest.mark.parametrize(
    ("actor", "recipient"),
    [
        pytest.param(ACTOR, ACTOR, id="own"),
        pytest.param(ADMIN, ACTOR, id="by-administrator"),
    ],
)
@pytest.mark.parametrize(
    ("current", "wanted", "result"),
    [
        pytest.param(only(MINE), ALL_COMPANIES, ALL_COMPANIES, id="widen-to-all"),
        pytest.param(ALL_COMPANIES, only(MINE), only(MINE), id="narrow-from-all"),
        pytest.param(only(MINE), only(SHARED), only(SHARED), id="exchange"),
        pytest.param(ALL_COMPANIES, ALL_COMPANIES, ALL_COMPANIES, id="all-again"),
        pytest.param(only(MINE), only(), Denial.NO_COMPANY, id="none"),
        pytest.param(
            only(MINE), only(MINE, HIDDEN), Denial.COMPANY_NOT_ACCESSIBLE, id="add-not-assigned"
        ),
        pytest.param(
            ALL_COMPANIES, only(HIDDEN), Denial.COMPANY_NOT_ACCESSIBLE,
            id="narrow-from-all-to-not-assigned",
        ),
        pytest.param(
            only(MINE, HIDDEN), only(SHARED, HIDDEN), only(SHARED, HIDDEN),
            id="what-the-recipient-lost-may-stay",
        ),
        pytest.param(only(MINE, HIDDEN), only(MINE), only(MINE), id="what-was-lost-may-go"),
    ],
)  # fmt: skip
def test_the_recipient_and_an_administrator_edit_the_whole_alert(
    actor: Person, recipient: Person, current: Scope, wanted: Scope, result: Scope | Denial
) -> None:
    assert edited_scope(actor, recipient, current, wanted) == result


@pytest.mark.parametrize(
    ("wanted", "result"),
    [
        pytest.param(ALL_COMPANIES, ALL_COMPANIES, id="all"),
        pytest.param(only(ELSEWHERE), only(ELSEWHERE), id="access-comes-later"),
        pytest.param(only(), Denial.NO_COMPANY, id="none"),
    ],
)
def test_the_platform_sets_any_scope_that_is_not_empty(
    wanted: Scope, result: Scope | Denial
) -> None:
    assert edited_scope(PLATFORM, ACTOR, only(MINE), wanted) == result


def test_an_administrators_alert_may_name_any_company() -> None:
    assert edited_scope(ADMIN, OTHER_ADMIN, only(MINE), only(ELSEWHERE)) == only(ELSEWHERE)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        pytest.param(ALL_COMPANIES, True, id="all"),
        pytest.param(only(MINE), False, id="chosen"),
        pytest.param(only(), False, id="none-is-not-all"),
    ],
)
def test_only_the_scope_without_a_choice_covers_all(scope: Scope, expected: bool) -> None:
    assert scope.covers_all is expected


company_sets = st.frozensets(st.integers(1, 6))
scopes = st.builds(Scope, st.none() | company_sets)
scopes_of_something = scopes.filter(lambda scope: scope != only())
members = st.builds(Person, st.integers(1, 3), st.sampled_from(Role), company_sets)


@given(st.frozensets(st.integers(1, 6)), st.frozensets(st.sampled_from([SHARED, SHARED_TOO])))
def test_whatever_a_manager_chooses_of_what_is_shared_the_rest_stays_as_it_is(
    current: frozenset[int], wanted: frozenset[int]
) -> None:
    outcome = edited_scope(ACTOR, COLLEAGUE, Scope(current), Scope(wanted))
    expected = (current - {SHARED, SHARED_TOO}) | wanted
    assert outcome == (Scope(expected) if expected else Denial.NO_COMPANY)


@given(members, members, scopes, scopes)
def test_an_edit_never_leaves_an_alert_that_covers_nothing(
    actor: Person, recipient: Person, current: Scope, wanted: Scope
) -> None:
    assert edited_scope(actor, recipient, current, wanted) != only()


@given(members, members, scopes, scopes_of_something)
def test_an_administrator_may_whatever_another_member_may(
    actor: Person, recipient: Person, current: Scope, wanted: Scope
) -> None:
    def permissions(who: Person) -> list[bool]:
        return [
            reach(who, recipient) is None,
            may_create(who, recipient, wanted) is None,
            isinstance(edited_scope(who, recipient, current, wanted), Scope),
            may_end(who, recipient, current) is None,
            may_resume(who, recipient, current, unsubscribed_by_link=False) is None,
        ]

    pairs = zip(permissions(actor), permissions(ADMIN), strict=True)
    assert all(administrator for other, administrator in pairs if other)


@given(members, members, scopes)
def test_whoever_may_create_an_alert_may_edit_and_end_it(
    actor: Person, recipient: Person, scope: Scope
) -> None:
    denied = may_create(actor, recipient, scope) is not None
    assert denied or edited_scope(actor, recipient, scope, scope) == scope
    assert denied or may_end(actor, recipient, scope) is None
