"""Moving work along: each function drains what is due, in transactions of one batch.

The tasks call these when woken, tests and the backtest with a clock of their own.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from integration_alerts.alerts.models import NoticeStatus
from integration_alerts.alerts.planning import BATCH as PLANNING_BATCH
from integration_alerts.alerts.planning import claim_due, plan_claimed
from integration_alerts.engine import wakeups
from integration_alerts.engine.retrying import retry_deadlocks
from integration_alerts.mail.composing import BATCH as COMPOSING_BATCH
from integration_alerts.mail.composing import compose as compose_planned
from integration_alerts.mail.composing import compose_due
from integration_alerts.mail.recovering import plan_recoveries
from integration_alerts.mail.withdrawing import withdraw


@dataclass(frozen=True, slots=True)
class _Planned:
    """What one batch did: how many incidents it looked at, and whether notices wait."""

    incidents: int
    waiting: bool


def plan(
    now: datetime, message_id_domain: str, *, damped: bool = True, at_once: bool = False
) -> bool:
    """Turn incidents that are due into notices, and these into emails; take back what ended.

    Returns whether notices were left for `compose`. `damped`: whether further alerts of flapping
    integrations are held back (R23). `at_once` leaves the accounts' waiting times out (R22).
    """
    waiting = False

    def plan_batch() -> _Planned:
        return _plan_batch(now, message_id_domain, damped=damped, at_once=at_once)

    while (planned := retry_deadlocks(plan_batch)).incidents:
        waiting |= planned.waiting
        if planned.incidents < PLANNING_BATCH:
            break
    return waiting


def compose(now: datetime, message_id_domain: str, *, at_once: bool = False) -> None:
    """Put notices that wait for it into emails; `at_once` as in `plan`."""
    while (
        retry_deadlocks(lambda: _compose_batch(now, message_id_domain, at_once=at_once))
        == COMPOSING_BATCH
    ):
        pass


def _plan_batch(now: datetime, message_id_domain: str, *, damped: bool, at_once: bool) -> _Planned:
    with transaction.atomic():
        incidents = claim_due(now)
        touched = withdraw([incident.id for incident in incidents], now)
        # Who withdraws holds emails, and opening groups would take more of them out of their order.
        status = NoticeStatus.PLANNED if touched else NoticeStatus.COMPOSED
        notices = plan_claimed(incidents, now, status, damped=damped)
        waiting = plan_recoveries([incident.id for incident in incidents if incident.closed], now)
        if touched:
            waiting += len(notices)
        elif compose_planned(notices, now, message_id_domain, at_once=at_once):
            wakeups.wake(wakeups.DELIVER)
        if waiting:
            wakeups.wake(wakeups.COMPOSE)
    return _Planned(len(incidents), bool(waiting))


def _compose_batch(now: datetime, message_id_domain: str, *, at_once: bool) -> int:
    with transaction.atomic():
        composed = compose_due(now, message_id_domain, at_once=at_once)
        if composed.due:
            wakeups.wake(wakeups.DELIVER)
    return composed.notices


def wake_for_what_is_due(now: datetime) -> datetime | None:
    """Look for due work that no wake-up told of; returns when the next falls due, None: nothing is.

    Probes of three partial indexes.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"now": now})
        incidents, notices, emails, next_incident, next_email = cursor.fetchone()
    for due, task in (
        (incidents, wakeups.PLAN), (notices, wakeups.COMPOSE), (emails, wakeups.DELIVER),
    ):  # fmt: skip
        if due:
            wakeups.wake(task)
    return min(filter(None, (next_incident, next_email)), default=None)


# Served by the partial indexes incident_due, notice_planned and email_due.
_DUE = """
SELECT EXISTS (SELECT FROM incident WHERE next_notice_at <= %(now)s),
       EXISTS (SELECT FROM notice WHERE status = 'planned'),
       EXISTS (SELECT FROM email WHERE status = 'queued' AND next_attempt_at <= %(now)s),
       (SELECT min(next_notice_at) FROM incident WHERE next_notice_at > %(now)s),
       (SELECT min(next_attempt_at) FROM email
        WHERE status = 'queued' AND next_attempt_at > %(now)s)
"""
