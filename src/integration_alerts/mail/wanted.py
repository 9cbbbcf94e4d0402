"""Whether an email may be sent now: its incidents still stand, its recipient may still be told.

The same look serves the claim and the moment right before sending (SPEC R10, R12). `alerts`
and `rules` decide about the recipient; this adds what happened to the incident.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from integration_alerts.alerts.recipients import Verdict, verdicts


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where an email would go now; `obstacle` says why it must not, and is empty if it may."""

    address: str
    obstacle: str
    claimed_by: UUID | None


@dataclass(frozen=True, slots=True)
class _Item:
    email_id: int
    claimed_by: UUID | None
    member_id: int
    company_id: int
    state: str
    state_now: str
    open: bool


def look_again(email_ids: Sequence[int]) -> list[Wanted]:
    """For each email, in the given order: may it be sent now?

    An email is wanted while at least one of its notices is.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ITEMS, [list(email_ids)])
        items = [_Item(*row) for row in cursor.fetchall()]
    standing = {(item.member_id, item.company_id) for item in items if not _ended(item)}
    allowed = verdicts(standing) if standing else {}
    answers: dict[int, Wanted] = {}
    for item in items:
        answer = _judge(item, allowed)
        if item.email_id not in answers or not answer.obstacle:
            answers[item.email_id] = answer
    return [answers[email_id] for email_id in email_ids]


def _judge(item: _Item, allowed: Mapping[tuple[int, int], Verdict]) -> Wanted:
    if ended := _ended(item):
        return Wanted("", ended, item.claimed_by)
    verdict = allowed[item.member_id, item.company_id]
    return Wanted(verdict.address, verdict.obstacle or "", item.claimed_by)


def _ended(item: _Item) -> str:
    if not item.open:
        return "the incident has ended"
    return "" if item.state == item.state_now else f"the integration is {item.state_now} now"


# Each email and notice of the outbox is reached by its key; the cost is that of the emails asked.
_ITEMS = """
SELECT email.id, email.claimed_by, email.member_id, integration.company_id, notice.state,
       incident.state, incident.closed_at IS NULL AND company.active AND account.active
FROM email
JOIN email_notice ON email_notice.email_id = email.id
JOIN notice ON notice.id = email_notice.notice_id
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
JOIN company ON company.id = integration.company_id
JOIN account ON account.id = email.account_id
WHERE email.id = ANY(%s)"""
