"""Whether an email may be sent now: its incidents still stand, its recipient may still be told.

The same look serves the claim and the moment right before sending (SPEC R10, R12). `alerts`
and `rules` decide about the recipient; this adds what happened to the incident.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection

from integration_alerts.alerts.recipients import Verdict, verdicts


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where an email would go now; `obstacle` says why it must not, and is empty if it may.

    `ended_incident` is set when the reason is that the incident, or its state, is over: what to do
    about that is `withdrawing`'s business.
    """

    address: str
    obstacle: str
    claimed_by: UUID | None
    ended_incident: int | None = None


@dataclass(frozen=True, slots=True)
class _Item:
    email_id: int
    claimed_by: UUID | None
    member_id: int
    company_id: int
    incident_id: int
    state: str
    since: datetime
    state_now: str
    since_now: datetime
    open: bool
    switched_on: bool


def look_again(email_ids: Sequence[int]) -> list[Wanted]:
    """For each email, in the given order: may it be sent now?

    An email is wanted while at least one of its notices is.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ITEMS, [list(email_ids)])
        items = [_Item(*row) for row in cursor.fetchall()]
    pairs = {(item.member_id, item.company_id) for item in items}
    allowed = verdicts(pairs)
    answers: dict[int, Wanted] = {}
    for item in items:
        answer = _judge(item, allowed[item.member_id, item.company_id])
        if item.email_id not in answers or not answer.obstacle:
            answers[item.email_id] = answer
    return [answers[email_id] for email_id in email_ids]


def _judge(item: _Item, verdict: Verdict) -> Wanted:
    if not item.open:
        return Wanted("", "the incident has ended", item.claimed_by, item.incident_id)
    if (item.state, item.since) != (item.state_now, item.since_now):
        obstacle = f"the integration is {item.state_now} since {item.since_now} now"
        return Wanted("", obstacle, item.claimed_by, item.incident_id)
    if not item.switched_on:
        return Wanted("", "the company is switched off", item.claimed_by)
    return Wanted(verdict.address, verdict.obstacle or "", item.claimed_by)


# Each email and notice of the outbox is reached by its key; the cost is that of the emails asked.
_ITEMS = """
SELECT email.id, email.claimed_by, email.member_id, integration.company_id, incident.id,
       notice.state, notice.state_since, incident.state, incident.state_since,
       incident.closed_at IS NULL, company.active AND account.active
FROM email
JOIN email_notice ON email_notice.email_id = email.id
JOIN notice ON notice.id = email_notice.notice_id
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
JOIN company ON company.id = integration.company_id
JOIN account ON account.id = email.account_id
WHERE email.id = ANY(%s)"""
