"""Moving work along: each function drains what is due, in transactions of one batch.

The tasks call these when woken, tests and the backtest with a clock of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from integration_alerts.alerts.models import NoticeStatus
from integration_alerts.alerts.planning import BATCH as PLANNING_BATCH
from integration_alerts.alerts.planning import claim_due, plan_claimed
from integration_alerts.engine import wakeups
from integration_alerts.engine.retrying import retry_deadlocks
from integration_alerts.mail.composing import BATCH as COMPOSING_BATCH
from integration_alerts.mail.composing import Composed, compose_due
from integration_alerts.mail.composing import compose as compose_planned
from integration_alerts.mail.recovering import plan_recoveries
from integration_alerts.mail.withdrawing import withdraw


def _nobody_waits() -> None:
    """Emails that may go are found by the sweep."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """What one batch did: how many incidents it saw, if notices wait, and if emails may go."""

    incidents: int
    waiting: bool
    due: bool


def plan(
    now: datetime,
    message_id_domain: str,
    *,
    damped: bool = True,
    at_once: bool = False,
    on_due: Callable[[], None] = _nobody_waits,
) -> bool:
    """Turn incidents that are due into notices, and these into emails; take back what ended.

    Returns whether notices were left for `compose`. `damped`: whether further alerts of flapping
    integrations are held back (R23). `at_once` leaves the accounts' waiting times out (R22).
    `on_due` is called when emails may go now.
    """
    waiting = False

    def plan_batch() -> _Planned:
        return _plan_batch(now, message_id_domain, damped=damped, at_once=at_once)

    while (planned := retry_deadlocks(plan_batch)).incidents:
        waiting |= planned.waiting
        if planned.due:
            on_due()
        if planned.incidents < PLANNING_BATCH:
            break
    return waiting


def compose(
    now: datetime,
    message_id_domain: str,
    *,
    at_once: bool = False,
    on_due: Callable[[], None] = _nobody_waits,
) -> None:
    """Put notices that wait for it into emails; `at_once` and `on_due` as in `plan`."""

    def compose_batch() -> Composed:
        with transaction.atomic():
            return compose_due(now, message_id_domain, at_once=at_once)

    while (composed := retry_deadlocks(compose_batch)).notices:
        if composed.due:
            on_due()
        if composed.notices < COMPOSING_BATCH:
            break


def _plan_batch(now: datetime, message_id_domain: str, *, damped: bool, at_once: bool) -> _Planned:
    with transaction.atomic():
        incidents = claim_due(now)
        touched = withdraw([incident.id for incident in incidents], now)
        # Who withdraws holds emails, and opening groups would take more of them out of their order.
        status = NoticeStatus.PLANNED if touched else NoticeStatus.COMPOSED
        notices = plan_claimed(incidents, now, status, damped=damped)
        due, waiting = (
            False,
            plan_recoveries([incident.id for incident in incidents if incident.closed], now),
        )
        if touched:
            waiting += len(notices)
        else:
            due = compose_planned(notices, now, message_id_domain, at_once=at_once)
        if waiting:
            wakeups.wake(wakeups.COMPOSE)
    return _Planned(len(incidents), bool(waiting), due)


def wake_for_what_is_due(now: datetime) -> bool:
    """Look for due work that no wake-up told of; whether emails may go, which needs no wake-up.

    Probes of three partial indexes.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": now})
        incidents, notices, emails = cursor.fetchone()
    if incidents:
        wakeups.wake(wakeups.PLAN)
    if notices:
        wakeups.wake(wakeups.COMPOSE)
    return bool(emails)


def next_due(now: datetime) -> datetime | None:
    """When the next incident or email falls due after now; None: nothing waits for its time."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"now": now})
        return min(filter(None, cursor.fetchone()), default=None)


# These are served by the partial indexes incident_due, notice_planned and email_due.
_DUE = """
SELECT EXISTS (SELECT FROM incident WHERE next_notice_at <= %(now)s),
       EXISTS (SELECT FROM notice WHERE status = 'planned'),
       EXISTS (SELECT FROM email WHERE status = 'queued' AND next_attempt_at <= %(now)s)
"""

_NEXT = """
SELECT (SELECT min(next_notice_at) FROM incident WHERE next_notice_at > %(now)s),
       (SELECT min(next_attempt_at) FROM email
        WHERE status = 'queued' AND next_attempt_at > %(now)s)
"""
