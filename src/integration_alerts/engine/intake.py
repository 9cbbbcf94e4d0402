"""Taking status reports in: one transaction a batch, and the workers are woken with it (R24).

The way of the data begins here; both the API and the command line come through it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from integration_alerts.alerts.subscribing import subscribe_activators
from integration_alerts.directory.lines import LineError, decode
from integration_alerts.engine import wakeups
from integration_alerts.engine.retrying import retry_deadlocks
from integration_alerts.integrations.reporting import Outcome, Recorded, record
from integration_alerts.integrations.reports import Report, read_report
from integration_alerts.rules.states import Result

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Taken:
    """The answer to one line: the report's id where it had a readable one, and its outcome."""

    id: str | None
    outcome: Outcome


def take_reports(
    values: Sequence[Any], now: datetime, *, only_account: str | None = None
) -> list[Taken]:
    """Take parsed JSON values, or the LineError that parsing one ended in; one answer each.

    Durable when it returns. `only_account` as in `integrations.reporting.record`.
    """
    read = [_read(value, now) for value in values]
    reports = [report for report in read if isinstance(report, Report)]
    recorded = record_reports(reports, now, only_account=only_account) if reports else None
    outcomes = iter(recorded.outcomes if recorded else ())
    return [
        Taken(report.id, next(outcomes))
        if isinstance(report, Report)
        else Taken(_id_of(value), Outcome(Result.REJECTED, report.field, report.message))
        for value, report in zip(values, read, strict=True)
    ]


def parse(raw: bytes) -> Any:
    """A line's parsed value, or the LineError that tells what is wrong with it."""
    try:
        return decode(raw)
    except LineError as error:
        return error


def _read(value: Any, now: datetime) -> Report | LineError:
    if isinstance(value, LineError):
        return value
    try:
        return read_report(value, now)
    except LineError as error:
        return error


def record_reports(
    reports: Sequence[Report], now: datetime, *, only_account: str | None = None
) -> Recorded:
    """Take reports that were read already, in one transaction."""
    return retry_deadlocks(lambda: _record_once(reports, now, only_account))


def _record_once(reports: Sequence[Report], now: datetime, only_account: str | None) -> Recorded:
    with transaction.atomic():
        recorded = record(reports, now, only_account=only_account)
        activators = [(each.account_id, each.actor) for each in recorded.activations]
        subscribe_activators(activators, now)
        if recorded.due:
            wakeups.wake(wakeups.PLAN)
    return recorded


def _id_of(value: Any) -> str | None:
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
