"""Replaying history through the real code with a simulated clock (SPEC section 4, `backtest`).

Works on whatever database Django is connected to; the caller sees to it that this is a scratch one.
No mail is sent: what is composed counts as accepted by the mail server at the same instant.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Any

from django.db import connection

from integration_alerts.engine import advancing, intake, wakeups
from integration_alerts.engine.spans import Ahead
from integration_alerts.integrations.reporting import Outcome
from integration_alerts.integrations.reports import Report
from integration_alerts.rules.states import Result

_DOMAIN = "backtest.invalid"  # RFC 2606: these Message-IDs go nowhere


@dataclass(frozen=True, slots=True)
class Rejection:
    """A report that the real code rejected; `index` counts the reports as given, from 0."""

    index: int
    outcome: Outcome


def replay(
    reports: Sequence[Report],
    until: datetime | None,
    on_progress: Callable[[int], None],
) -> list[Rejection]:
    """Apply reports in the order of their instants, and every notice at the instant it is due.

    All reports of an instant come before its notices; equal instants apply in the given order.
    `until` defaults to the last report's instant; later reports are left out. `on_progress` is told
    how many reports a step applied.
    """
    with wakeups.nobody_listens():
        return _replay(reports, until, on_progress)


def _replay(
    reports: Sequence[Report], until: datetime | None, on_progress: Callable[[int], None]
) -> list[Rejection]:
    rejections: list[Rejection] = []
    clock = _Clock()
    wanted = [i for i, report in enumerate(reports) if until is None or report.occurred_at <= until]
    on_progress(len(reports) - len(wanted))
    ordered = sorted(wanted, key=lambda index: reports[index].occurred_at)
    ahead = Ahead((index, reports[index]) for index in ordered)
    while ahead.next_at is not None:
        clock.run_until(ahead.next_at, inclusive=False)
        span = ahead.next_span(clock.due)
        recorded = intake.record_reports([report for _, report in span.reports], span.until)
        ahead.note(span, recorded.outcomes)
        rejections += [
            Rejection(index, outcome)
            for (index, _), outcome in zip(span.reports, recorded.outcomes, strict=True)
            if outcome.result is Result.REJECTED
        ]
        if recorded.due:
            clock.look_again()
            clock.run_until(span.until, inclusive=True)
        on_progress(len(span.reports))
    end = until or (reports[ordered[-1]].occurred_at if ordered else None)
    if end is not None:
        clock.run_until(end, inclusive=True)
    return rejections


def notices() -> Iterator[dict[str, Any]]:
    """The notices of the replayed history as the lines of the public interface, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(_NOTICES)
        rows = cursor.fetchall()
    for row in sorted(rows, key=lambda row: (row[7], row[2], row[6], row[0])):
        account, company, integration, opened, state, since, step, due, status, addresses = row
        yield {
            "account": account,
            "company": company,
            "integration": integration,
            "incident_opened_at": _time(opened),
            "state": state,
            "state_since": _time(since),
            "step": step,
            "due_at": _time(due),
            "outcome": "sent" if status == "composed" else status,
            "recipients": sorted(addresses),
        }


class _Clock:
    """Simulated time: goes from one due notice to the next."""

    def __init__(self) -> None:
        self.due: datetime | None = None

    def look_again(self) -> None:
        """Find out when something is due next."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT min(next_notice_at) FROM incident")
            self.due = cursor.fetchone()[0]

    def run_until(self, instant: datetime, *, inclusive: bool) -> None:
        """Do all that falls due before the instant, or up to it."""
        while self.due is not None and (self.due < instant or (inclusive and self.due == instant)):
            due = self.due
            # Grouping and flapping do not hide a notice here (SPEC section 4).
            emails = Event()
            if advancing.plan(due, _DOMAIN, damped=False, at_once=True, on_due=emails.set):
                advancing.compose(due, _DOMAIN, at_once=True, on_due=emails.set)
            if emails.is_set():
                _accept_all(due)
            self.look_again()


def _accept_all(now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ACCEPT, [now])


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


_ACCEPT = """
UPDATE email SET status = 'sent', open = false, next_attempt_at = NULL, ended_at = %s
WHERE status = 'queued'"""

_NOTICES = """
SELECT account.external_id, company.external_id, integration.external_id, incident.opened_at,
       notice.state, notice.state_since, notice.step, notice.due_at, notice.status,
       ARRAY(SELECT member.email FROM email_notice
             JOIN member ON member.id = email_notice.member_id
             WHERE email_notice.notice_id = notice.id)
FROM notice
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
JOIN company ON company.id = integration.company_id
JOIN account ON account.id = notice.account_id
WHERE notice.status <> 'withdrawn'"""
