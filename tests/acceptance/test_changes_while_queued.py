"""What changes while the mail server is down is heeded when it is up again (R4, R10 to R13).

One timeline for all cases, each in an account of its own: break an integration, let its mails fail
once and wait in the queue, change something, bring the mail server back, wait for the end.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from tests.acceptance.live import Live, subject, two_sweeps
from tests.installation import report, wait_for

Line = dict[str, Any]
ACCOUNT = "the case's own account"
ENDED = {"the integration is no longer in this state", "the incident has ended"}


@dataclass(frozen=True)
class Case:
    """What happens to an account while two mails, to Ada and to Max, are queued."""

    name: str
    change: Line | None = None
    """A directory line."""
    state: str = ""
    """A new state of the integration."""
    reported: str = "failed"
    reason: str = ""
    """What the cancelled email says, where Max is the only one who gets none."""


def _line(kind: str, **fields: Any) -> Line:
    return {"type": kind, "account": ACCOUNT, **fields}


def _max(**fields: Any) -> Line:
    return _line("user", id="max", **fields)


MAX_IS_OUT = [
    Case(
        "demoted-to-reporting", _max(role="reporting"),
        reason="reporting users get no integration alerts",
    ),
    Case("unassigned", _max(companies=[]), reason="the user has no access to this company"),
    Case("deactivated", _max(active=False), reason="the user is deactivated"),
    Case(
        "subscription-deleted", _line("subscription", user="max", deleted=True),
        reason="the user has no integration alert",
    ),
    Case(
        "subscription-narrowed", _line("subscription", user="max", companies=["south"]),
        reason="the integration alert does not cover this company",
    ),
]  # fmt: skip
INCIDENT_IS_OVER = [
    Case("active-again", state="active"),
    Case("disabled", state="disabled"),
    Case("company-switched-off", _line("company", id="north", active=False)),
    Case("integration-deleted", _line("integration", company="north", id="ads", deleted=True)),
    Case("account-closed", {"type": "account", "id": ACCOUNT, "active": False}),
]
MOVED = Case("moved", _max(email="new@moved.example"))
FAILED_NOW = Case("failed-now", state="failed", reported="pending")
CASES = [*MAX_IS_OUT, *INCIDENT_IS_OVER, MOVED, FAILED_NOW]

max_is_out = pytest.mark.parametrize("case", MAX_IS_OUT, ids=lambda case: case.name)
incident_is_over = pytest.mark.parametrize("case", INCIDENT_IS_OVER, ids=lambda case: case.name)


@pytest.fixture(scope="module")
def aftermath(live: Live) -> Live:
    """The installation after all changes, when every email has come to its end."""
    live.change(*(line for case in CASES for line in _directory(case.name)))
    live.smtp.down()
    live.report(*(_report(case, case.reported, hours=25) for case in CASES))
    wait_for(lambda: _failed_once(live) == 2 * len(CASES), what="all mails to fail once")
    live.change(*({**case.change, **_own(case)} for case in CASES if case.change))
    live.report(*(_report(case, case.state) for case in CASES if case.state))
    wait_for(
        lambda: all(_both_cancelled(live, case) for case in INCIDENT_IS_OVER),
        what="the mails about what is over to be cancelled",
    )
    live.smtp.up()
    two_sweeps()
    live.settle()
    return live


@incident_is_over
def test_nobody_gets_a_queued_mail_about_what_is_over(aftermath: Live, case: Case) -> None:
    assert _recipients(aftermath, case) == []


@incident_is_over
def test_emails_about_what_is_over_end_cancelled_with_the_reason(
    aftermath: Live, case: Case
) -> None:
    assert {reason for _, _, reason in _emails(aftermath, case)} <= ENDED


@max_is_out
def test_a_manager_who_may_no_longer_be_told_gets_no_queued_mail(
    aftermath: Live, case: Case
) -> None:
    assert _recipients(aftermath, case) == [f"ada@{case.name}.example"]


@max_is_out
def test_the_email_of_a_manager_who_may_no_longer_be_told_ends_cancelled_with_the_reason(
    aftermath: Live, case: Case
) -> None:
    assert _emails(aftermath, case) == [("ada", "sent", ""), ("max", "cancelled", case.reason)]


def test_a_queued_mail_goes_to_the_new_address_only(aftermath: Live) -> None:
    assert _recipients(aftermath, MOVED) == ["ada@moved.example", "new@moved.example"]


def test_a_mail_to_a_new_address_names_it_in_its_header(aftermath: Live) -> None:
    (mail,) = [mail for mail in aftermath.smtp.messages if mail.recipient == "new@moved.example"]

    assert str(mail.message["To"]) == "Max <new@moved.example>"


def test_a_queued_pending_alert_dies_when_the_integration_fails(aftermath: Live) -> None:
    about = [mail for mail in aftermath.smtp.messages if "@failed-now." in mail.recipient]

    assert [subject(mail) for mail in about] == ["ads for North stopped working"] * 2
    assert _recipients(aftermath, FAILED_NOW) == [
        "ada@failed-now.example",
        "max@failed-now.example",
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


def _own(case: Case) -> Line:
    assert case.change is not None
    return {key: case.name for key, value in case.change.items() if value is ACCOUNT}


def _report(case: Case, state: str, hours: float = 0) -> Line:
    return report(state, account=case.name, ago=timedelta(hours=hours), id=f"{state}-{hours}")


def _failed_once(live: Live) -> int:
    return len(
        live.installation.query("SELECT FROM email WHERE status = 'queued' AND attempts > 0")
    )


def _both_cancelled(live: Live, case: Case) -> bool:
    return [status for _, status, _ in _emails(live, case)] == ["cancelled"] * 2


def _recipients(live: Live, case: Case) -> list[str]:
    domain = f"@{case.name}.example"
    return sorted(mail.recipient for mail in live.smtp.messages if mail.recipient.endswith(domain))


def _emails(live: Live, case: Case) -> list[tuple[Any, ...]]:
    return live.installation.query(
        "SELECT member.external_id, email.status, email.outcome_reason FROM email "
        "JOIN member ON member.id = email.member_id JOIN account ON account.id = email.account_id "
        "WHERE account.external_id = %s ORDER BY member.external_id, email.id",
        case.name,
    )
