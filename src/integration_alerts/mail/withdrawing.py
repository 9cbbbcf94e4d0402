"""Taking back what was queued about a state that has ended (SPEC R4, R10).

Mails that are being sent at this moment are not touched: `outbox` checks each again right before it
begins, and comes back here. Locks are taken in one order: incidents, notices, emails.
"""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction

from integration_alerts.alerts.standing import STANDS
from integration_alerts.directory.columns import array
from integration_alerts.directory.statements import fetch, run


def withdraw_ended(incident_ids: Collection[int], now: datetime) -> None:
    """Cancel the queued emails about states of these incidents that are over.

    Looks again under a lock, because a state that came back meanwhile must not be withdrawn.
    """
    with transaction.atomic():
        run(_LOCK_INCIDENTS, [array(incident_ids)])
        withdraw(incident_ids, now)
        # What is withdrawn now was taken for told when the incident was planned.
        run(_PLAN_AGAIN, [now, array(incident_ids)])


def withdraw(incident_ids: Collection[int], now: datetime) -> bool:
    """Cancel the queued emails about stays of these incidents that are over.

    The caller holds the incidents' locks. Whoever got no mail counts as not told: should the state
    be entered again, they will be. Returns whether there were such emails: this transaction
    holds their locks now.
    """
    if not incident_ids:
        return False
    ended = fetch(_ENDED_NOTICES, [array(incident_ids)])
    if not ended:
        return False
    notices = array(notice for (notice,) in ended)
    # The lock comes alone: composing may hold these notices, and the statements below must see the
    # emails that it has made of them.
    run(_LOCK_NOTICES, [notices])
    found = fetch(_LOCK_EMAILS, [notices])
    emails = array(email for (email,) in found)
    run(_RELEASE, [emails, notices])
    run(_UNWRITE, [emails])
    run(_CANCEL_EMAILS, [now, emails])
    run(_WITHDRAW_NOTICES, [notices])
    return bool(found)


_LOCK_INCIDENTS = "SELECT id FROM incident WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"

_PLAN_AGAIN = """
UPDATE incident SET next_notice_at = %s WHERE id = ANY(%s) AND closed_at IS NULL"""

# From each incident to its notices, by the index notice_once: OFFSET 0 keeps PostgreSQL from
# reading whole tables, whatever it believes of them.
_ENDED_NOTICES = f"""
SELECT ended.id
FROM unnest(%s::bigint[]) AS batch (id)
CROSS JOIN LATERAL (
    SELECT notice.id
    FROM incident
    JOIN integration ON integration.id = incident.integration_id
    JOIN notice ON notice.incident_id = incident.id
    WHERE incident.id = batch.id AND NOT coalesce({STANDS}, false)
    OFFSET 0
) AS ended"""

_LOCK_NOTICES = "SELECT FROM notice WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"

# In the order in which composing locks them (mail.groups).
_LOCK_EMAILS = """
SELECT id FROM email
WHERE status = 'queued'
  AND id IN (SELECT email_id FROM email_notice WHERE notice_id = ANY(%s) AND NOT released)
ORDER BY member_id, id
FOR NO KEY UPDATE"""

# Silence after the final dot may have been an acceptance: that recipient counts as told.
_NEVER_ACCEPTED = """
NOT EXISTS (
    SELECT FROM delivery_attempt
    WHERE delivery_attempt.email_id = {email} AND phase = 'acceptance' AND code IS NULL)"""

_RELEASE = """
UPDATE email_notice SET released = true
WHERE email_id = ANY(%s) AND notice_id = ANY(%s) AND""" + _NEVER_ACCEPTED.format(
    email="email_notice.email_id"
)

# What is left is written anew at the next attempt.
_UNWRITE = """
UPDATE email SET message = NULL
WHERE id = ANY(%s) AND message IS NOT NULL AND""" + _NEVER_ACCEPTED.format(email="email.id")

# An email that also carries a notice which still stands is kept.
_CANCEL_EMAILS = f"""
UPDATE email
SET status = 'cancelled', next_attempt_at = NULL, ended_at = %s, open = false,
    outcome_reason = 'the integration is no longer in this state'
WHERE email.id = ANY(%s)
  AND NOT EXISTS (
      SELECT FROM email_notice
      JOIN notice ON notice.id = email_notice.notice_id
      JOIN incident ON incident.id = notice.incident_id
      JOIN integration ON integration.id = incident.integration_id
      WHERE email_notice.email_id = email.id AND NOT email_notice.released AND {STANDS})"""

# A notice is withdrawn when it was not told to somebody who should have been; a superseded one with
# the notice that superseded it. Those who were told keep their item, and will not be told again.
_WITHDRAW_NOTICES = """
UPDATE notice SET status = 'withdrawn'
WHERE id = ANY(%s) AND status IN ('planned', 'composed', 'superseded') AND (
    status = 'planned'
    OR EXISTS (
        SELECT FROM email_notice AS missed
        WHERE missed.notice_id = notice.id AND missed.released AND NOT EXISTS (
            SELECT FROM email_notice AS told
            WHERE told.notice_id = notice.id AND told.member_id = missed.member_id
              AND NOT told.released))
    OR NOT EXISTS (
        SELECT FROM notice AS told
        JOIN email_notice ON email_notice.notice_id = told.id AND NOT email_notice.released
        WHERE told.incident_id = notice.incident_id AND told.state = notice.state))"""
