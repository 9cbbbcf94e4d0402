"""Taking status reports in: one transaction a batch, and the workers are woken with it (R24).

The way of the data begins here; both the API and the command line come through it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from integration_alerts.alerts.subscribing import subscribe_activators
from integration_alerts.directory.keys import LiveKey, find_keys
from integration_alerts.directory.lines import LineError, decode
from integration_alerts.directory.sharing import Shared
from integration_alerts.engine import wakeups
from integration_alerts.engine.retrying import is_away, retry_deadlocks
from integration_alerts.integrations.reporting import (
    Outcome,
    Recorded,
    record,
    unknown_account,
)
from integration_alerts.integrations.reports import (
    Report,
    check_time,
    decode_report,
    decode_reports,
    read_report,
)
from integration_alerts.rules.states import Result

BATCH = 1000

SMALL = 100  # up to so many share a transaction with what other requests bring at the same time
_MOMENT_SECONDS = 0.0007  # for which one that was not alone the last time waits for others


class Taken(NamedTuple):
    """The answer to one line: the report's id where it had a readable one, and its outcome."""

    id: str | None
    outcome: Outcome


class UnknownKeyError(Exception):
    """The API key that came with reports does not exist, or is revoked."""


def take_reports(
    values: Sequence[Any], now: datetime, *, only_account: str | None = None, key: str | None = None
) -> list[Taken]:
    """Take what `parse_report` or `parse_reports` made of lines; one answer each.

    Durable when it returns. `only_account` is the account that the caller's key is bound to: every
    other account is unknown to it. `key` is an API key that nobody has looked up yet: that is done
    here, for small batches together with those of others. Raises UnknownKeyError.
    """
    if key is not None and len(values) > SMALL:
        (found,) = find_keys([key])
        if found is None:
            raise UnknownKeyError
        only_account, key = found.account, None
    answers = [_read(value, now, only_account) for value in values]
    reports = [answer for answer in answers if isinstance(answer, Report)]
    if len(reports) > SMALL:
        outcomes = iter(record_reports(reports, now).outcomes)
    elif reports or key is not None:
        outcomes = iter(_take_with_others(_Request(reports, now, key)))
    else:
        return answers  # type: ignore[return-value]  # all are rejections
    return [
        Taken(answer.id, next(outcomes)) if isinstance(answer, Report) else answer
        for answer in answers
    ]


def parse_report(raw: bytes) -> Any:
    """A line as a Report; where it is none, as `parse` reads it."""
    report = decode_report(raw)
    return parse(raw) if report is None else report


def parse_reports(raw: bytes) -> Any:
    """A JSON array as Reports; where one is none, its parsed value; raises LineError."""
    reports = decode_reports(raw)
    return decode(raw) if reports is None else reports


def parse(raw: bytes) -> Any:
    """A line's parsed value, or the LineError that tells what is wrong with it."""
    try:
        return decode(raw)
    except LineError as error:
        return error


def _read(value: Any, now: datetime, only_account: str | None) -> Report | Taken:
    try:
        if isinstance(value, LineError):
            raise value
        report = check_time(value, now) if isinstance(value, Report) else read_report(value, now)
    except LineError as error:
        return Taken(_id_of(value), Outcome(Result.REJECTED, error.field, error.message))
    if only_account is not None and report.account != only_account:
        return Taken(report.id, unknown_account(report.account))
    return report


def record_reports(reports: Sequence[Report], now: datetime) -> Recorded:
    """Take reports that were read already, in one transaction."""
    return retry_deadlocks(lambda: _record_once(reports, now))


def _record_once(reports: Sequence[Report], now: datetime) -> Recorded:
    with transaction.atomic():
        recorded = record(reports, now)
        activators = [(each.account_id, each.actor) for each in recorded.activations]
        subscribe_activators(activators, now)
        if recorded.due:
            wakeups.wake(wakeups.PLAN)
    return recorded


class _Request(NamedTuple):
    reports: list[Report]
    now: datetime
    key: str | None


def _take_with_others(request: _Request) -> list[Outcome]:
    outcomes = _shared.take(request, len(request.reports))
    if outcomes is None:
        raise UnknownKeyError
    return outcomes


def _record_requests(requests: Sequence[_Request]) -> list[list[Outcome] | None]:
    """An outcome for each report of each request; None for a request whose key opens nothing."""
    keys = list({request.key for request in requests if request.key is not None})
    live = dict(zip(keys, find_keys(keys), strict=True)) if keys else {}
    answers = [_refusals(request, live) for request in requests]
    let_in = [
        report
        for request, answer in zip(requests, answers, strict=True)
        for report, refusal in zip(request.reports, answer or (), strict=answer is not None)
        if refusal is None
    ]
    recorded = record_reports(let_in, max(request.now for request in requests)) if let_in else None
    outcomes = iter(recorded.outcomes if recorded else ())
    return [
        None if answer is None else [refusal or next(outcomes) for refusal in answer]
        for answer in answers
    ]


def _refusals(request: _Request, live: Mapping[str, LiveKey | None]) -> list[Outcome | None] | None:
    """Of each report why its key does not let it in, None where it does; None: no such key."""
    only = None
    if request.key is not None:
        found = live[request.key]
        if found is None:
            return None
        only = found.account
    return [
        None if only in (None, report.account) else unknown_account(report.account)
        for report in request.reports
    ]


_shared = Shared(_record_requests, most=BATCH, concerns_all=is_away, moment=_MOMENT_SECONDS)


def _id_of(value: Any) -> str | None:
    if isinstance(value, Report):
        return value.id
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, str) else None
