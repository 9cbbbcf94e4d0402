"""From notices to emails: who gets which notice in which email (SPEC R7, R11, R12).

A notice goes out at once, one to an email. Grouping (R22) and flapping (R23) belong here, decided
by `rules.grouping` when it comes. Does not write the message: that happens right before the first
attempt, in `outbox`, so that a mail says what is true when it leaves.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import connection

from integration_alerts.alerts.models import NoticeStatus
from integration_alerts.alerts.recipients import recipients
from integration_alerts.directory.columns import columns

BATCH = 500


@dataclass(frozen=True, slots=True)
class Composed:
    """What one pass did."""

    notices: int
    emails: int


@dataclass(frozen=True, slots=True)
class _Notice:
    id: int
    account_id: int
    company_id: int
    stands: bool  # its incident is open and still in its stay


def compose_due(now: datetime, message_id_domain: str, limit: int = BATCH) -> Composed:
    """Put up to `limit` planned notices into emails. Call inside a transaction.

    Several workers may run it at once; each takes notices that no other holds.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [limit])
        notices = [_Notice(*row) for row in cursor.fetchall()]
        if not notices:
            return Composed(0, 0)
        standing = [notice for notice in notices if notice.stands]
        told = recipients({notice.company_id for notice in standing})
        cursor.execute(_ALREADY_TOLD, [[notice.id for notice in standing]])
        already = set(cursor.fetchall())
        letters = [
            (notice, recipient.member_id)
            for notice in standing
            for recipient in told[notice.company_id]
            if (notice.id, recipient.member_id) not in already
        ]
        if letters:
            _insert(cursor, letters, now, message_id_domain)
        known = {notice_id for notice_id, _ in already}
        statuses = [
            (
                notice.id,
                _status(notice, anybody=bool(told.get(notice.company_id)) or notice.id in known),
            )
            for notice in notices
        ]
        cursor.execute(_UPDATE_NOTICES, columns(statuses, 2))
    return Composed(len(notices), len(letters))


def _status(notice: _Notice, *, anybody: bool) -> NoticeStatus:
    if not notice.stands:
        return NoticeStatus.WITHDRAWN
    return NoticeStatus.COMPOSED if anybody else NoticeStatus.NO_RECIPIENT


def _insert(cursor: Any, letters: list[tuple[_Notice, int]], now: datetime, domain: str) -> None:
    message_ids = [f"<{uuid4()}@{domain}>" for _ in letters]
    emails = [
        (notice.account_id, member_id, message_id)
        for (notice, member_id), message_id in zip(letters, message_ids, strict=True)
    ]
    cursor.execute(_INSERT_EMAILS, [now, now, *columns(emails, 3)])
    ids = dict(cursor.fetchall())
    items = [
        (notice.account_id, ids[message_id], notice.id, member_id)
        for (notice, member_id), message_id in zip(letters, message_ids, strict=True)
    ]
    cursor.execute(_INSERT_ITEMS, columns(items, 4))


# Served by the partial index notice_planned.
_CLAIM = """
SELECT notice.id, notice.account_id, integration.company_id,
       incident.closed_at IS NULL
           AND (incident.state, incident.state_since) = (notice.state, notice.state_since)
FROM notice
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
WHERE notice.status = 'planned'
ORDER BY notice.planned_at, notice.id LIMIT %s
FOR NO KEY UPDATE OF notice SKIP LOCKED"""

# Only a notice that was withdrawn and came back has any.
_ALREADY_TOLD = """
SELECT notice_id, member_id FROM email_notice WHERE notice_id = ANY(%s) AND NOT released"""

_INSERT_EMAILS = """
INSERT INTO email (date, next_attempt_at, account_id, member_id, message_id, status,
                   outcome_reason, subject, address, attempts)
SELECT %s, %s, batch.*, 'queued', '', '', '', 0
FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS batch
RETURNING message_id, id"""

_INSERT_ITEMS = """
INSERT INTO email_notice (account_id, email_id, notice_id, member_id, released)
SELECT batch.*, false
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[]) AS batch"""

_UPDATE_NOTICES = """
UPDATE notice SET status = batch.status
FROM unnest(%s::bigint[], %s::text[]) AS batch (id, status)
WHERE notice.id = batch.id"""
