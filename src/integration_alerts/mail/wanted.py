"""Whether an email may be sent now, and what of it: each notice is looked at again (R10, R12, R15).

The same look serves the claim and the moment right before sending. `alerts` and `rules` decide
about the recipient; this adds what happened to the incident. Changes nothing: `outbox` does.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from integration_alerts.alerts.recipients import Verdict, verdicts
from integration_alerts.alerts.standing import STANDS
from integration_alerts.directory.columns import array
from integration_alerts.directory.statements import fetch


@dataclass(slots=True)
class Wanted:
    """What of an email would be sent now, and where to. With nothing to keep, it is not sent."""

    claimed_by: UUID | None = None
    address: str = ""
    keep: list[int] = field(default_factory=list)
    """The items, by their ids, that the recipient is to be told of."""
    drop: list[int] = field(default_factory=list)
    """The other ones."""
    obstacle: str = ""
    """Why the first of those is dropped."""
    denied: bool = False
    """Whether one of those is dropped because the recipient may not be told of it."""
    moved: dict[int, int] = field(default_factory=dict)
    """Items whose integration is in another company now, with that company's id."""
    ended_incidents: set[int] = field(default_factory=set)
    """Those of notices that are over; what to do about them is `withdrawing`'s business."""

    @property
    def unchanged(self) -> bool:
        """Whether all of it is still so, apart from the address."""
        return not self.drop and not self.moved and bool(self.keep)


class _Item(Struct, frozen=True):
    id: int
    email_id: int
    claimed_by: UUID | None
    member_id: int
    named_company_id: int
    company_id: int
    incident_id: int
    state_now: str
    since_now: datetime
    closed: bool
    stands: bool
    switched_on: bool
    opted_in: bool


def look_again(email_ids: Sequence[int]) -> list[Wanted]:
    """For each email, in the given order: what of it may be sent now?"""
    items = [_Item(*row) for row in fetch(_ITEMS, [array(email_ids)])]
    allowed = verdicts({(item.member_id, item.company_id) for item in items})
    found: dict[int, Wanted] = defaultdict(Wanted)
    for item in items:
        _judge(found[item.email_id], item, allowed[item.member_id, item.company_id])
    return [found[email_id] for email_id in email_ids]


def may_have_been_accepted(email_ids: Collection[int]) -> set[int]:
    """Which of these emails had an attempt whose acceptance nobody knows (R24)."""
    return {email_id for (email_id,) in fetch(_UNKNOWN_ACCEPTANCE, [array(email_ids)])}


def _judge(wanted: Wanted, item: _Item, verdict: Verdict) -> None:
    wanted.claimed_by = item.claimed_by
    obstacle = _obstacle(item, verdict)
    if not obstacle:
        wanted.keep.append(item.id)
        wanted.address = verdict.address
        if item.company_id != item.named_company_id:
            wanted.moved[item.id] = item.company_id
        return
    wanted.drop.append(item.id)
    wanted.obstacle = wanted.obstacle or obstacle
    if item.stands:
        wanted.denied = True
    else:
        wanted.ended_incidents.add(item.incident_id)


def _obstacle(item: _Item, verdict: Verdict) -> str:
    if not item.stands:
        return (
            "the incident has ended"
            if item.closed
            else f"the integration is {item.state_now} since {item.since_now} now"
        )
    if not item.switched_on:
        return "the company is switched off"
    if verdict.obstacle is None and not item.opted_in:
        return "the recipient does not want to hear that it is over"
    return verdict.obstacle or ""


# Each email and notice of the outbox is reached by its key; the cost is that of the emails asked.
_ITEMS = f"""
SELECT email_notice.id, email.id, email.claimed_by, email.member_id, email_notice.company_id,
       integration.company_id, incident.id, incident.state, incident.state_since,
       incident.closed_at IS NOT NULL, {STANDS}, company.active AND account.active,
       notice.step <> 'recovery' OR coalesce(subscription.tells_recovery, false)
FROM email
JOIN email_notice ON email_notice.email_id = email.id AND NOT email_notice.released
JOIN notice ON notice.id = email_notice.notice_id
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
JOIN company ON company.id = integration.company_id
JOIN account ON account.id = email.account_id
LEFT JOIN subscription ON subscription.member_id = email.member_id
WHERE email.id = ANY(%s)
ORDER BY email_notice.id"""

_UNKNOWN_ACCEPTANCE = """
SELECT DISTINCT email_id FROM delivery_attempt
WHERE email_id = ANY(%s) AND phase = 'acceptance' AND code IS NULL"""
