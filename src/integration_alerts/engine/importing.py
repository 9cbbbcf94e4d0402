"""Directory lines of every kind: each to its layer, and what follows from switching off (R3).

One transaction a batch; a line that is wrong undoes itself only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from integration_alerts.alerts.importing import save_subscription
from integration_alerts.directory.directory_lines import (
    AccountLine,
    CompanyLine,
    DirectoryLine,
    IntegrationLine,
    SubscriptionLine,
    UserLine,
    read_line,
)
from integration_alerts.directory.importing import save_account, save_company, save_user
from integration_alerts.directory.lines import LineError
from integration_alerts.engine import wakeups
from integration_alerts.engine.retrying import retry_deadlocks
from integration_alerts.integrations.closing import (
    close_for_account,
    close_for_company,
    reopen,
)
from integration_alerts.integrations.importing import save_integration

BATCH = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """The answer to one line; `error` is None where it was applied."""

    id: str | None
    error: LineError | None


def take_directory(
    values: Sequence[Any], now: datetime, *, only_account: str | None = None
) -> list[Imported]:
    """Import parsed JSON values, or the LineErrors that parsing ended in; one answer each.

    `only_account` is the account that the caller's key is bound to: other accounts are unknown.
    """

    def take_all() -> list[Imported]:
        with transaction.atomic():
            return [_take(value, now, only_account) for value in values]

    return retry_deadlocks(take_all)


def _take(value: Any, now: datetime, only_account: str | None) -> Imported:
    line_id = value.get("id") if isinstance(value, dict) else None
    shown = line_id if isinstance(line_id, str) else None
    try:
        if isinstance(value, LineError):
            raise value
        line = read_line(value)
        _check_account(line, only_account)
        _save_apart(line, now)
    except LineError as error:
        return Imported(shown, error)
    return Imported(shown, None)


def _check_account(line: DirectoryLine, only_account: str | None) -> None:
    is_account = isinstance(line, AccountLine)
    account = line.id if isinstance(line, AccountLine) else line.account
    if only_account is not None and account != only_account:
        field = "id" if is_account else "account"
        raise LineError(field, f"no account {account!r} that this API key may change")


def _save_apart(line: DirectoryLine, now: datetime) -> None:
    # Two imports may make the same row at once: the loser tries again and finds it.
    try:
        with transaction.atomic():
            _save(line, now)
    except IntegrityError:
        with transaction.atomic():
            _save(line, now)


def _save(line: DirectoryLine, now: datetime) -> None:
    match line:
        case AccountLine():
            _save_account(line, now)
        case CompanyLine():
            _save_company(line, now)
        case UserLine():
            save_user(line)
        case IntegrationLine():
            _wake_if(save_integration(line, now))
        case SubscriptionLine():
            save_subscription(line, now)


def _save_account(line: AccountLine, now: datetime) -> None:
    saved = save_account(line, now)
    if saved.switched_off:
        _wake_if(close_for_account(saved.id, now))
    if saved.switched_on:
        reopen(Q(account=saved.id, company__active=True), now)
        wakeups.wake(wakeups.PLAN)


def _save_company(line: CompanyLine, now: datetime) -> None:
    saved = save_company(line)
    if saved.switched_off:
        _wake_if(close_for_company(saved.id, now))
    if saved.switched_on:
        reopen(Q(company=saved.id, account__active=True), now)
        wakeups.wake(wakeups.PLAN)


def _wake_if(due: bool) -> None:  # noqa: FBT001 (its name says what it is)
    if due:
        wakeups.wake(wakeups.PLAN)
