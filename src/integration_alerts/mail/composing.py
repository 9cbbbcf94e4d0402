"""From notices to emails: who gets which notice in which email (SPEC R7, R11, R12, R22, R23).

A notice goes into the open email of each of its recipients. Does not write the message: that
happens right before the first attempt, so that a mail says what is true when it leaves.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from integration_alerts.alerts.models import NoticeStatus
from integration_alerts.alerts.planning import Notice
from integration_alerts.alerts.recipients import recipients
from integration_alerts.alerts.standing import STANDS
from integration_alerts.directory.columns import array, columns
from integration_alerts.directory.statements import fetch, run
from integration_alerts.mail.groups import open_groups
from integration_alerts.mail.recovering import told_and_opted_in
from integration_alerts.rules.schedule import Step

BATCH = 500


@dataclass(frozen=True, slots=True)
class Composed:
    """What one pass did: how many notices it dealt with, and whether an email is due now."""

    notices: int
    due: bool


def compose_due(
    now: datetime, message_id_domain: str, *, at_once: bool = False, limit: int = BATCH
) -> Composed:
    """Put up to `limit` planned notices into emails. Call inside a transaction.

    Several workers may run it at once; each takes notices that no other holds. `at_once` leaves the
    accounts' waiting times out.
    """
    notices = [Notice(*row) for row in fetch(_CLAIM, [limit])]
    due = compose(notices, now, message_id_domain, at_once=at_once)
    return Composed(len(notices), due)


def compose(
    notices: Sequence[Notice], now: datetime, message_id_domain: str, *, at_once: bool = False
) -> bool:
    """Put notices that this transaction holds into emails; whether one of those is due now."""
    if not notices:
        return False
    standing = [notice for notice in notices if notice.stands]
    already = _pairs(_ALREADY_TOLD, standing)
    know_it_flaps = _pairs(_KNOW_IT_FLAPS, [notice for notice in standing if notice.flapping])
    wanted = _who_is_told(standing)
    told_before = already | know_it_flaps
    letters = [
        (notice, member)
        for notice in standing
        for member in wanted[notice.id]
        if (notice.id, member) not in told_before
    ]
    groups = open_groups({member for _, member in letters}, now, message_id_domain, at_once=at_once)
    items = [
        (notice.account_id, groups.emails[member], notice.id, member, notice.company_id)
        for notice, member in letters
    ]
    told = {notice_id for notice_id, _ in already} | {item[2] for item in items}
    known = {notice_id for notice_id, member in know_it_flaps if member in wanted[notice_id]}
    statuses = [
        (notice.id, status)
        for notice in notices
        if (status := _status(notice, told=notice.id in told, known=notice.id in known))
        != notice.status
    ]
    if items:
        run(_INSERT_ITEMS, columns(items, 5))
    if statuses:
        run(_UPDATE_NOTICES, columns(statuses, 2))
    return groups.due


def _who_is_told(notices: Collection[Notice]) -> dict[int, list[int]]:
    """The members that each notice is for; of a recovery, those who were told what is over now."""
    told = recipients({notice.company_id for notice in notices})
    recoveries = [notice.id for notice in notices if notice.step == Step.RECOVERY]
    opted_in = told_and_opted_in(recoveries)
    return {
        notice.id: [
            recipient.member_id
            for recipient in told[notice.company_id]
            if notice.step != Step.RECOVERY or (notice.id, recipient.member_id) in opted_in
        ]
        for notice in notices
    }


def _pairs(sql: str, notices: Collection[Notice]) -> set[tuple[int, int]]:
    """(notice, member) pairs that a query finds for these notices."""
    if not notices:
        return set()
    return set(fetch(sql, [array(notice.id for notice in notices)]))


def _status(notice: Notice, *, told: bool, known: bool) -> NoticeStatus:
    if not notice.stands:
        return NoticeStatus.WITHDRAWN
    if told:
        return NoticeStatus.COMPOSED
    return NoticeStatus.HELD_BACK if known else NoticeStatus.NO_RECIPIENT


# Served by the partial index notice_planned, and in no finer order than it has.
_CLAIM = f"""
SELECT notice.id, notice.account_id, integration.company_id, notice.step, notice.flapping,
       notice.status, {STANDS}
FROM notice
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
WHERE notice.status = 'planned'
ORDER BY notice.planned_at LIMIT %s
FOR NO KEY UPDATE OF notice SKIP LOCKED"""

# Only a notice that was withdrawn and came back has any.
_ALREADY_TOLD = """
SELECT batch.id, told.member_id
FROM unnest(%s::bigint[]) AS batch (id)
CROSS JOIN LATERAL (
    SELECT member_id FROM email_notice
    WHERE email_notice.notice_id = batch.id AND NOT email_notice.released OFFSET 0
) AS told"""

# Every alert of a flapping integration says so (R23), to those who do not know: who has a mail that
# said it, or is about to, gets no further one. Served by the index incident_timeline.
_KNOW_IT_FLAPS = """
SELECT notice.id, email.member_id
FROM notice
JOIN incident ON incident.id = notice.incident_id
JOIN incident AS part ON part.integration_id = incident.integration_id
    AND part.flapping_since = incident.flapping_since
    AND part.opened_at >= incident.flapping_since
JOIN notice AS said ON said.incident_id = part.id AND said.flapping AND said.id <> notice.id
JOIN email_notice ON email_notice.notice_id = said.id AND NOT email_notice.released
JOIN email ON email.id = email_notice.email_id
WHERE notice.id = ANY(%s::bigint[]) AND email.status IN ('queued', 'sending', 'sent')"""

_INSERT_ITEMS = """
INSERT INTO email_notice (account_id, email_id, notice_id, member_id, company_id, released)
SELECT batch.*, false
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS batch"""

_UPDATE_NOTICES = """
UPDATE notice SET status = batch.status
FROM unnest(%s::bigint[], %s::text[]) AS batch (id, status)
WHERE notice.id = batch.id"""
