"""Moving work along: each function drains what is due, in transactions of one batch.

The tasks call these when woken, tests and the backtest with a clock of their own.
"""

from datetime import datetime

from django.db import transaction

from integration_alerts.alerts.models import Notice, NoticeStatus
from integration_alerts.alerts.planning import BATCH as PLANNING_BATCH
from integration_alerts.alerts.planning import claim_due, plan_claimed
from integration_alerts.engine import wakeups
from integration_alerts.integrations.models import Incident
from integration_alerts.mail import outbox
from integration_alerts.mail.composing import BATCH as COMPOSING_BATCH
from integration_alerts.mail.composing import compose_due
from integration_alerts.mail.withdrawing import withdraw


def plan(now: datetime) -> None:
    """Turn incidents that are due into notices; take back what was queued about ended ones."""
    while True:
        with transaction.atomic():
            incidents = claim_due(now)
            withdraw([incident.id for incident in incidents], now)
            if plan_claimed(incidents, now):
                wakeups.wake(wakeups.COMPOSE)
        if len(incidents) < PLANNING_BATCH:
            return


def compose(now: datetime, message_id_domain: str) -> None:
    """Put planned notices into emails."""
    while True:
        with transaction.atomic():
            composed = compose_due(now, message_id_domain)
            if composed.emails:
                wakeups.wake(wakeups.DELIVER)
        if composed.notices < COMPOSING_BATCH:
            return


def wake_for_what_is_due(now: datetime) -> None:
    """Look for due work that no wake-up told of: three probes of partial indexes."""
    if Incident.objects.filter(next_notice_at__lte=now).exists():
        wakeups.wake(wakeups.PLAN)
    if Notice.objects.filter(status=NoticeStatus.PLANNED.value).exists():
        wakeups.wake(wakeups.COMPOSE)
    if outbox.count_due(now, limit=1):
        wakeups.wake(wakeups.DELIVER)
