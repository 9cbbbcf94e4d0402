"""What changes while the mail server is down is heeded when it is up again (R4, R10 to R13).

One timeline for all cases, each in an account of its own: break an integration, let its mails fail
once and wait in the queue, change something, bring the mail server back, wait for the end.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from tests.acceptance.live import Live, two_sweeps
from tests.installation import ndjson, report, wait_for

Line = dict[str, Any]
ENDED = {"the integration is no longer in this state", "the incident has ended"}


@dataclass(frozen=True)
class Case:
    """What happens to an account, here called ACCOUNT, while two mails about it are queued."""

    name: str
    changes: tuple[Line, ...] = ()
    state: str = ""
    reported: str = "failed"
    max_gets_none: frozenset[str] = frozenset()
    nobody_gets_any: frozenset[str] = frozenset()


def _max(**changed: Any) -> tuple[Line, ...]:
    return ({"type": "user", "account": "ACCOUNT", "id": "max", **changed},)


def _north(kind: str, **changed: Any) -> tuple[Line, ...]:
    return ({"type": kind, "account": "ACCOUNT", **changed},)


CASES = [
    Case(
        "demoted-to-reporting", _max(role="reporting"),
        max_gets_none=frozenset({"reporting users get no integration alerts"}),
    ),
    Case(
        "unassigned-from-the-company", _max(companies=[]),
        max_gets_none=frozenset({"the user has no access to this company"}),
    ),
    Case(
        "deactivated", _max(active=False), max_gets_none=frozenset({"the user is deactivated"})
    ),
    Case(
        "subscription-deleted", _north("subscription", user="max", deleted=True),
        max_gets_none=frozenset({"the user has no integration alert"}),
    ),
    Case(
        "subscription-narrowed", _north("subscription", user="max", companies=["south"]),
        max_gets_none=frozenset({"the integration alert does not cover this company"}),
    ),
    Case("active-again", state="active", nobody_gets_any=frozenset(ENDED)),
    Case("disabled", state="disabled", nobody_gets_any=frozenset(ENDED)),
    Case(
        "company-switched-off", _north("company", id="north", active=False),
        nobody_gets_any=frozenset(ENDED),
    ),
    Case(
        "integration-deleted", _north("integration", company="north", id="ads", deleted=True),
        nobody_gets_any=frozenset(ENDED),
    ),
    Case(
        "account-closed", ({"type": "account", "id": "ACCOUNT", "active": False},),
        nobody_gets_any=frozenset(ENDED),
    ),
    Case("moved-to-another-address", _max(email="new@moved-to-another-address.example")),
    Case("failed-now", state="failed", reported="pending"),
]  # fmt: skip


@pytest.fixture(scope="module")
def aftermath(live: Live) -> Iterator[Live]:
    """The installation after all changes, when every email has come to its end."""
    live.installation.import_directory(line for case in CASES for line in _directory(case.name))
    live.smtp.down()
    assert set(live.report(*[_report(case, case.reported, hours=25) for case in CASES])) == {
        "applied"
    }
    wait_for(lambda: _queued_after_a_try(live) == 2 * len(CASES), what="all mails to fail once")
    changes = [
        {key: case.name if value == "ACCOUNT" else value for key, value in line.items()}
        for case in CASES
        for line in case.changes
    ]
    live.installation.import_directory(changes)
    live.report(*[_report(case, case.state) for case in CASES if case.state])
    wait_for(lambda: _ended_cases_are_cancelled(live), what="mails of what ended to be cancelled")
    live.smtp.up()
    two_sweeps(live.installation)
    live.settle()
    yield live


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.nobody_gets_any], ids=lambda case: case.name
)
def test_nobody_gets_a_queued_mail_about_what_has_ended(aftermath: Live, case: Case) -> None:
    assert _recipients(aftermath, case) == []


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.nobody_gets_any], ids=lambda case: case.name
)
def test_emails_about_what_has_ended_are_cancelled_with_the_reason(
    aftermath: Live, case: Case
) -> None:
    emails = _emails(aftermath, case)

    assert [status for _, status, _ in emails] == ["cancelled", "cancelled"]
    assert {reason for _, _, reason in emails} <= case.nobody_gets_any


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.max_gets_none], ids=lambda case: case.name
)
def test_a_manager_who_may_no_longer_be_told_gets_no_queued_mail(
    aftermath: Live, case: Case
) -> None:
    assert _recipients(aftermath, case) == [f"ada@{case.name}.example"]


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.max_gets_none], ids=lambda case: case.name
)
def test_the_email_of_a_manager_who_may_no_longer_be_told_ends_cancelled_with_the_reason(
    aftermath: Live, case: Case
) -> None:
    (reason,) = case.max_gets_none

    assert _emails(aftermath, case) == [("ada", "sent", ""), ("max", "cancelled", reason)]


def test_a_queued_mail_goes_to_the_new_address_only(aftermath: Live) -> None:
    name = "moved-to-another-address"

    assert [
        (mail.recipient, str(mail.message["To"]))
        for mail in aftermath.smtp.messages
        if name in mail.recipient and "ada" not in mail.recipient
    ] == [(f"new@{name}.example", f"Max <new@{name}.example>")]


def test_a_queued_pending_alert_dies_when_the_integration_fails(aftermath: Live) -> None:
    about = [
        (mail.recipient, str(mail.message["Subject"]))
        for mail in aftermath.smtp.messages
        if mail.recipient.endswith("@failed-now.example")
    ]

    assert sorted(about) == [
        ("ada@failed-now.example", "ads for North stopped working"),
        ("max@failed-now.example", "ads for North stopped working"),
    ]


def _directory(account: str) -> list[Line]:
    def line(kind: str, **fields: Any) -> Line:
        return {"type": kind, "account": account, **fields}

    def user(name: str, **fields: Any) -> Line:
        return line("user", id=name, email=f"{name}@{account}.example", name=name.title(), **fields)

    return [
        {"type": "account", "id": account, "name": account},
        line("company", id="north", name="North"),
        line("company", id="south", name="South"),
        user("ada", role="administrator"),
        user("max", role="manager", companies=["north"]),
        line("subscription", user="ada", companies="all"),
        line("subscription", user="max", companies="all"),
    ]


def _report(case: Case, state: str, hours: float = 0) -> Line:
    return report(state, account=case.name, ago=timedelta(hours=hours), id=str(uuid4()))


def _queued_after_a_try(live: Live) -> int:
    return int(
        live.installation.query(
            "SELECT count(*) FROM email WHERE status = 'queued' AND attempts > 0"
        )[0][0]
    )


def _ended_cases_are_cancelled(live: Live) -> bool:
    ended = [case for case in CASES if case.state]
    return all(
        status == "cancelled" for case in ended for _, status, _ in _emails(live, case)[:2]
    )


def _recipients(live: Live, case: Case) -> list[str]:
    domain = f"@{case.name}.example"
    return sorted(mail.recipient for mail in live.smtp.messages if mail.recipient.endswith(domain))


def _emails(live: Live, case: Case) -> list[tuple[Any, ...]]:
    return live.installation.query(
        "SELECT member.external_id, email.status, email.outcome_reason FROM email "
        "JOIN member ON member.id = email.member_id JOIN account ON account.id = email.account_id "
        "WHERE account.external_id = %s ORDER BY email.id, member.external_id",
        case.name,
    )
