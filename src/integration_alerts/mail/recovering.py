"""Mails that say it is over, for subscriptions that opted in (SPEC R10).

Only who was told of an incident is told of its end. When the mail goes is composing's business.
"""

from collections.abc import Collection
from datetime import datetime

from integration_alerts.directory.columns import array
from integration_alerts.directory.statements import fetch, run


def plan_recoveries(incident_ids: Collection[int], now: datetime) -> int:
    """Plan a notice for each of these incidents that is over and somebody wants to hear so.

    Call inside the transaction that planned them. Returns how many notices wait to be composed.
    """
    if not incident_ids:
        return 0
    # Most accounts have nobody who wants it: a look at a small index spares them the rest.
    worth = fetch(_WORTH_A_LOOK, [array(incident_ids)])
    return run(_PLAN, [now, array(incident_id for (incident_id,) in worth)]) if worth else 0


def told_and_opted_in(notice_ids: Collection[int]) -> set[tuple[int, int]]:
    """(recovery notice, member) for every member who was told and wants to hear that it is over."""
    if not notice_ids:
        return set()
    return set(fetch(_TOLD, [array(notice_ids)]))


# Served by the partial index subscription_tells_recovery.
_WORTH_A_LOOK = """
SELECT incident.id FROM incident
WHERE incident.id = ANY(%s) AND incident.account_id IN (
    SELECT account_id FROM subscription WHERE tells_recovery)"""

# Whoever may have a mail counts as told: sent, on its way, or with an answer that was lost.
_WAS_TOLD = """
    FROM notice AS told
    JOIN email_notice ON email_notice.notice_id = told.id AND NOT email_notice.released
    JOIN email ON email.id = email_notice.email_id
    JOIN subscription ON subscription.member_id = email_notice.member_id
    WHERE told.incident_id = {incident} AND told.step <> 'recovery'
      AND subscription.tells_recovery AND subscription.paused_at IS NULL
      AND (email.status IN ('sent', 'sending') OR EXISTS (
          SELECT FROM delivery_attempt
          WHERE delivery_attempt.email_id = email.id AND phase = 'acceptance' AND code IS NULL))"""

# A deleted integration, or one whose company was switched off, is not said to be well. Nor is one
# that is flapping: its next alert may be held back (R23), and the last word would be that it works.
_PLAN = (
    """
INSERT INTO notice (planned_at, due_at, account_id, incident_id, state, step, state_since, status,
                    flapping)
SELECT %s, incident.closed_at, incident.account_id, incident.id, integration.state, 'recovery',
       integration.state_since, 'planned', false
FROM incident
JOIN integration ON integration.id = incident.integration_id
JOIN company ON company.id = integration.company_id
JOIN account ON account.id = incident.account_id
WHERE incident.id = ANY(%s) AND incident.closed_at IS NOT NULL
  AND integration.state IN ('active', 'disabled') AND integration.deleted_at IS NULL
  AND integration.state_since = incident.closed_at
  AND (incident.flapping_since IS NULL
       OR incident.closed_at - incident.opened_at >= interval '24 hours')
  AND company.active AND account.active
  AND EXISTS (SELECT """
    + _WAS_TOLD.format(incident="incident.id")
    + """)
ON CONFLICT (incident_id, state, step) DO NOTHING"""
)

_TOLD = (
    """
SELECT DISTINCT recovery.id, subscriber.member_id
FROM notice AS recovery
CROSS JOIN LATERAL (
    SELECT email_notice.member_id"""
    + _WAS_TOLD.format(incident="recovery.incident_id")
    + """
) AS subscriber
WHERE recovery.id = ANY(%s)"""
)
