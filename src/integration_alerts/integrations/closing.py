"""Ending and restarting incidents for reasons other than a report (SPEC R3).

An integration is deleted, its company is switched off, its account is closed; and the way back.
"""

from datetime import datetime

from django.db import connection
from django.db.models import Q

from integration_alerts.integrations.models import Incident, Integration
from integration_alerts.rules.states import UNHEALTHY


def delete_integration(integration: Integration, now: datetime) -> bool:
    """Delete it and close its incident; returns whether there was one.

    The row stays for its history. A later report brings the integration back as a new one; reports
    from before the deletion are stale.
    """
    locked = Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
    if locked.deleted_at is not None:
        return False
    Integration.objects.filter(pk=locked.pk).update(
        deleted_at=now, state=None, state_since=None, reported_at=now,
        last_opened_at=None, earlier_opened_at=None, flapping_since=None,
    )  # fmt: skip
    return close_incidents(Q(integration=locked.pk), now)


def close_for_company(company_id: int, now: datetime) -> bool:
    """Close the incidents of a company that was switched off; returns whether there were any."""
    return close_incidents(Q(integration__company=company_id), now)


def close_for_account(account_id: int, now: datetime) -> bool:
    """Close the incidents of an account that was closed; returns whether there were any."""
    return close_incidents(Q(account=account_id), now)


def reopen(which: Q, now: datetime) -> None:
    """Start again for integrations whose company is on again: what is broken is broken anew.

    Their state's clock starts now, because nobody was to be told while they were off.
    """
    # A report may have slipped in while the company was being switched off.
    close_incidents(Q(integration__in=Integration.objects.filter(which)), now)
    broken = Integration.objects.filter(which, state__in=_STATES, deleted_at=None)
    ids = list(broken.order_by("pk").values_list("pk", flat=True))
    with connection.cursor() as cursor:
        cursor.execute(_REOPEN, [now, now, ids, now, now, now])


def close_incidents(which: Q, now: datetime) -> bool:
    """Close the open incidents that match, and have planning withdraw what they queued."""
    # Ordered and locked like a batch of reports locks them: integrations first.
    matching = Incident.objects.filter(which, closed_at=None)
    integrations = matching.values_list("integration_id", flat=True)
    locked = (
        Integration.objects.select_for_update(no_key=True)
        .filter(pk__in=list(integrations))
        .order_by("pk")
    )
    still_open = Incident.objects.filter(integration__in=[row.pk for row in locked], closed_at=None)
    return bool(still_open.update(closed_at=now, next_notice_at=now))


_STATES = sorted(state.value for state in UNHEALTHY)
_REOPEN = """
WITH broken AS (
    UPDATE integration SET state_since = %s, reported_at = greatest(reported_at, %s)
    WHERE id = ANY(%s)
    RETURNING account_id, id, state
)
INSERT INTO incident (account_id, integration_id, state, state_since, opened_at, next_notice_at)
SELECT account_id, id, state, %s, %s, %s FROM broken"""
