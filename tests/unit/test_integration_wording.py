"""What the pages of integrations say, as tables."""

from datetime import timedelta

import pytest

from integration_alerts.rules.eligibility import Role
from integration_alerts.rules.permissions import Person, may_change_state, may_read_mail
from integration_alerts.rules.states import State
from integration_alerts.web.integration_pages.wording import headline, lasted, reason


@pytest.mark.parametrize(
    ("failed", "pending", "never", "disabled", "active", "words"),
    [
        (1, 1, 0, 0, 9, "2 integrations need you: 1 failed, 1 not set up."),
        (1, 0, 0, 0, 0, "1 integration needs you: 1 failed."),
        (0, 3, 0, 0, 0, "3 integrations need you: 3 not set up."),
        (
            1001, 2, 0, 0, 0,
            "More than 1,000 integrations need you: more than 1,000 failed, 2 not set up.",
        ),
        (700, 600, 0, 0, 0, "1,300 integrations need you: 700 failed, 600 not set up."),
        (0, 0, 0, 0, 12, "All 12 integrations work."),
        (0, 0, 0, 0, 1, "Your one integration works."),
        (0, 0, 0, 0, 1001, "All integrations work, more than 1,000 of them."),
        (0, 0, 2, 1, 9, "Nothing needs you: 9 work, 1 is disabled and 2 have no report yet."),
        (0, 0, 1, 0, 0, "Nothing needs you: 1 has no report yet."),
    ],
)  # fmt: skip
def test_headline(
    failed: int, pending: int, never: int, disabled: int, active: int, words: str
) -> None:
    counts: dict[State | None, int] = {
        State.FAILED: failed, State.PENDING: pending, None: never, State.DISABLED: disabled,
        State.ACTIVE: active,
    }  # fmt: skip
    assert headline(counts) == words


@pytest.mark.parametrize(
    ("duration", "words"),
    [
        (timedelta(seconds=59), "less than a minute"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=2, minutes=3), "2 hours 3 minutes"),
        (timedelta(days=3, hours=4, minutes=5), "3 days 4 hours"),
        (timedelta(days=1, minutes=5), "1 day"),
    ],
)
def test_lasted(duration: timedelta, words: str) -> None:
    assert lasted(duration) == words


@pytest.mark.parametrize(
    ("state", "code", "message", "words"),
    [
        ("failed", "expired_login", "", "Its sign-in has expired."),
        ("failed", "403", "Scope ads missing", "A permission is missing. Scope ads missing"),
        ("failed", "E-17", "It says no.", "It says no. (E-17)"),
        ("failed", "E-17", "", "E-17"),
        ("failed", "", "It says no.", "It says no."),
        ("failed", "", "", "No reason was reported."),
        ("pending", "", "", "The set-up is not finished."),
        ("active", "", "", ""),
        ("disabled", "", "", "Switched off."),
        (None, "", "", "Nothing was reported yet."),
    ],
)
def test_reason(state: str | None, code: str, message: str, words: str) -> None:
    assert reason(state, code, message) == words


def a(role: Role, *companies: int, id_: int = 1) -> Person:
    return Person(id_, role, frozenset(companies), 1)


@pytest.mark.parametrize(
    ("actor", "may"),
    [
        (a(Role.ADMINISTRATOR), True),
        (a(Role.MANAGER, 7), True),
        (a(Role.MANAGER, 8), False),
        (a(Role.REPORTING, 7), False),
    ],
)
def test_who_may_change_the_state_of_an_integration_of_company_7(actor: Person, may: bool) -> None:
    assert may_change_state(actor, 7) is may


@pytest.mark.parametrize(
    ("actor", "recipient", "companies", "may"),
    [
        (a(Role.ADMINISTRATOR), a(Role.ADMINISTRATOR, id_=2), {7}, True),
        (a(Role.MANAGER, 7), a(Role.MANAGER, 7, 8, id_=2), {7}, True),
        (a(Role.MANAGER, 7), a(Role.MANAGER, 7, 8, id_=2), {7, 8}, False),
        (a(Role.MANAGER, 7), a(Role.MANAGER, 8, id_=2), {7}, False),
        (a(Role.MANAGER, 7), a(Role.ADMINISTRATOR, id_=2), {7}, False),
        (a(Role.MANAGER, 7), a(Role.MANAGER, 7), {7}, True),
        (a(Role.MANAGER, 7), a(Role.MANAGER, 7), {7, 8}, False),
        (a(Role.REPORTING, 7), a(Role.MANAGER, 7, id_=2), {7}, False),
    ],
)
def test_who_may_read_whose_mail(
    actor: Person, recipient: Person, companies: set[int], may: bool
) -> None:
    assert may_read_mail(actor, recipient, companies) is may
