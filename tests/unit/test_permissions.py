"""R16 to R21: who may view, create, edit, end and resume whose subscription."""

from collections.abc import Callable, Set

import pytest
from tests.unit.people import (
    ACTOR,
    ADMIN,
    ADMINISTRATOR,
    COLLEAGUE,
    DEMOTED,
    ELSEWHERE,
    HIDDEN,
    JUNIOR,
    MANAGER,
    MINE,
    OTHER_ADMIN,
    PEER,
    PLATFORM,
    REPORTER,
    REPORTING,
    SHARED,
    SHARED_TOO,
    STRANGER,
    UNASSIGNED,
    only,
)

from integration_alerts.rules.eligibility import Role
from integration_alerts.rules.permissions import (
    ALL_COMPANIES,
    Denial,
    Person,
    Scope,
    earns_subscription,
    edited_scope,
    may_create,
    may_end,
    may_mail_again,
    may_resume,
    reach,
)


def view(actor: Person | None, recipient: Person) -> Denial | None:
    return reach(actor, recipient)


def create(actor: Person | None, recipient: Person) -> Denial | None:
    return may_create(actor, recipient, only(SHARED))


def edit(actor: Person | None, recipient: Person) -> Denial | None:
    outcome = edited_scope(actor, recipient, only(SHARED), only(SHARED))
    if isinstance(outcome, Denial):
        return outcome
    assert outcome == only(SHARED)
    return None


def end(actor: Person | None, recipient: Person) -> Denial | None:
    return may_end(actor, recipient, only(SHARED))


def resume(actor: Person | None, recipient: Person) -> Denial | None:
    return may_resume(actor, recipient, only(SHARED), unsubscribed_by_link=False)


Action = Callable[[Person | None, Person], Denial | None]
every_action = pytest.mark.parametrize("action", [view, create, edit, end, resume])


@every_action
@pytest.mark.parametrize(
    ("actor", "recipient", "denial"),
    [
        pytest.param(ADMIN, ADMIN, None, id="administrator-own"),
        pytest.param(ADMIN, ACTOR, None, id="administrator-managers"),
        pytest.param(ADMIN, OTHER_ADMIN, None, id="administrator-other-administrators"),
        pytest.param(ACTOR, ACTOR, None, id="manager-own"),
        pytest.param(ACTOR, COLLEAGUE, None, id="manager-other-managers-company-shared"),
        pytest.param(
            ACTOR, STRANGER, Denial.NO_SHARED_COMPANY, id="manager-other-managers-nothing-shared"
        ),
        pytest.param(
            UNASSIGNED, ACTOR, Denial.NO_SHARED_COMPANY, id="unassigned-manager-other-managers"
        ),
        pytest.param(ACTOR, ADMIN, Denial.ADMINISTRATORS_ALERT, id="manager-administrators"),
        pytest.param(REPORTER, REPORTER, Denial.REPORTING_ACTOR, id="reporting-own"),
        pytest.param(REPORTER, ACTOR, Denial.REPORTING_ACTOR, id="reporting-managers"),
        pytest.param(REPORTER, ADMIN, Denial.REPORTING_ACTOR, id="reporting-administrators"),
        pytest.param(REPORTER, DEMOTED, Denial.REPORTING_ACTOR, id="reporting-other-reportings"),
        pytest.param(PLATFORM, ADMIN, None, id="platform-administrators"),
        pytest.param(PLATFORM, STRANGER, None, id="platform-managers"),
    ],
)
def test_the_permission_table_holds_for_every_action_alike(
    action: Action, actor: Person | None, recipient: Person, denial: Denial | None
) -> None:
    assert action(actor, recipient) is denial


@every_action
def test_being_assigned_to_an_administrators_company_opens_no_administrators_alert(
    action: Action,
) -> None:
    assigned = Person(ADMIN.id, ADMINISTRATOR, ACTOR.companies)
    assert action(ACTOR, assigned) is Denial.ADMINISTRATORS_ALERT


@pytest.mark.parametrize("action", [view, edit, end, resume])
@pytest.mark.parametrize(
    ("actor", "denial"),
    [
        pytest.param(ADMIN, None, id="administrator"),
        pytest.param(ACTOR, None, id="manager-who-shares-a-company"),
        pytest.param(STRANGER, Denial.NO_SHARED_COMPANY, id="manager-who-shares-none"),
        pytest.param(PLATFORM, None, id="platform"),
        pytest.param(DEMOTED, Denial.REPORTING_ACTOR, id="the-recipient"),
    ],
)
def test_the_alert_of_a_recipient_who_was_demoted_stays_and_others_can_clear_it_away(
    action: Action, actor: Person | None, denial: Denial | None
) -> None:
    assert action(actor, DEMOTED) is denial


@pytest.mark.parametrize("actor", [ADMIN, ACTOR, PLATFORM], ids=["administrator", "manager", "api"])
@pytest.mark.parametrize("wanted", [only(SHARED), ALL_COMPANIES], ids=["chosen", "all"])
def test_nobody_can_give_a_reporting_user_an_alert(actor: Person | None, wanted: Scope) -> None:
    assert may_create(actor, DEMOTED, wanted) is Denial.REPORTING_RECIPIENT


ends = pytest.mark.parametrize(
    ("actor", "recipient", "current", "denial"),
    [
        pytest.param(ACTOR, ACTOR, ALL_COMPANIES, None, id="own-all"),
        pytest.param(ACTOR, ACTOR, only(MINE, HIDDEN), None, id="own-with-a-lost-company"),
        pytest.param(UNASSIGNED, UNASSIGNED, only(MINE), None, id="own-with-every-company-lost"),
        pytest.param(ADMIN, ACTOR, ALL_COMPANIES, None, id="by-administrator-all"),
        pytest.param(ADMIN, COLLEAGUE, only(HIDDEN), None, id="by-administrator-chosen"),
        pytest.param(ADMIN, OTHER_ADMIN, ALL_COMPANIES, None, id="by-other-administrator"),
        pytest.param(PLATFORM, COLLEAGUE, ALL_COMPANIES, None, id="by-the-platform"),
        pytest.param(ACTOR, COLLEAGUE, only(SHARED), None, id="colleagues-shared"),
        pytest.param(ACTOR, COLLEAGUE, only(SHARED, SHARED_TOO), None, id="colleagues-all-shared"),
        pytest.param(ACTOR, COLLEAGUE, only(SHARED, MINE), None, id="colleagues-with-a-lost-one"),
        pytest.param(
            ACTOR, COLLEAGUE, only(SHARED, HIDDEN), Denial.COVERS_MORE, id="colleagues-with-hidden"
        ),
        pytest.param(ACTOR, COLLEAGUE, only(HIDDEN), Denial.COVERS_MORE, id="colleagues-hidden"),
        pytest.param(ACTOR, COLLEAGUE, ALL_COMPANIES, Denial.COVERS_MORE, id="colleagues-all"),
        pytest.param(ACTOR, JUNIOR, ALL_COMPANIES, None, id="juniors-all-hide-nothing"),
        pytest.param(ACTOR, PEER, ALL_COMPANIES, None, id="peers-all"),
        pytest.param(ACTOR, PEER, Scope(frozenset(ACTOR.companies)), None, id="peers-every-one"),
    ],
)


@ends
def test_a_manager_ends_a_colleagues_alert_only_if_all_it_covers_is_theirs_too(
    actor: Person | None, recipient: Person, current: Scope, denial: Denial | None
) -> None:
    assert may_end(actor, recipient, current) is denial


@ends
def test_whoever_may_pause_an_alert_may_resume_it(
    actor: Person | None, recipient: Person, current: Scope, denial: Denial | None
) -> None:
    assert may_resume(actor, recipient, current, unsubscribed_by_link=False) is denial


@ends
def test_whoever_may_pause_an_alert_may_have_a_lost_address_mailed_again(
    actor: Person | None, recipient: Person, current: Scope, denial: Denial | None
) -> None:
    assert may_mail_again(actor, recipient, current, complained=False) is denial


@pytest.mark.parametrize(
    ("actor", "recipient", "denial"),
    [
        pytest.param(ACTOR, ACTOR, None, id="the-recipient"),
        pytest.param(ADMIN, ACTOR, Denial.RECIPIENT_COMPLAINED, id="an-administrator"),
        pytest.param(ACTOR, JUNIOR, Denial.RECIPIENT_COMPLAINED, id="a-manager"),
        pytest.param(PLATFORM, ACTOR, Denial.RECIPIENT_COMPLAINED, id="the-platform"),
        pytest.param(DEMOTED, DEMOTED, Denial.REPORTING_ACTOR, id="the-recipient-demoted"),
    ],
)
def test_after_a_complaint_only_the_recipient_can_lift_it(
    actor: Person | None, recipient: Person, denial: Denial | None
) -> None:
    assert may_mail_again(actor, recipient, ALL_COMPANIES, complained=True) is denial


@pytest.mark.parametrize(
    ("actor", "recipient", "denial"),
    [
        pytest.param(ACTOR, ACTOR, None, id="the-recipient"),
        pytest.param(ADMIN, ADMIN, None, id="the-recipient-an-administrator"),
        pytest.param(ADMIN, ACTOR, Denial.RECIPIENT_UNSUBSCRIBED, id="an-administrator"),
        pytest.param(ACTOR, JUNIOR, Denial.RECIPIENT_UNSUBSCRIBED, id="a-manager"),
        pytest.param(PLATFORM, ACTOR, Denial.RECIPIENT_UNSUBSCRIBED, id="the-platform"),
        pytest.param(DEMOTED, DEMOTED, Denial.REPORTING_ACTOR, id="the-recipient-demoted"),
        pytest.param(ACTOR, COLLEAGUE, Denial.COVERS_MORE, id="a-manager-who-may-not-anyway"),
    ],
)
def test_after_an_unsubscribe_link_only_the_recipient_can_resume(
    actor: Person | None, recipient: Person, denial: Denial | None
) -> None:
    assert may_resume(actor, recipient, ALL_COMPANIES, unsubscribed_by_link=True) is denial


@pytest.mark.parametrize(
    ("role", "earns"), [(ADMINISTRATOR, True), (MANAGER, True), (REPORTING, False)]
)
def test_activating_an_integration_earns_administrators_and_managers_an_alert(
    role: Role, earns: bool
) -> None:
    assert earns_subscription(role) is earns


@pytest.mark.parametrize(
    ("person", "companies", "expected"),
    [
        pytest.param(ADMIN, {ELSEWHERE}, True, id="administrator-any"),
        pytest.param(ACTOR, {MINE, SHARED}, True, id="manager-assigned"),
        pytest.param(ACTOR, {MINE, HIDDEN}, False, id="manager-not-all-assigned"),
        pytest.param(UNASSIGNED, {MINE}, False, id="manager-unassigned"),
        pytest.param(UNASSIGNED, set(), True, id="nothing-asked"),
    ],
)
def test_a_person_may_access_companies_only_if_every_one_is_open_to_them(
    person: Person, companies: Set[int], expected: bool
) -> None:
    assert person.may_access(companies) is expected
