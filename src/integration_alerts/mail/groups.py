"""The open email of each recipient, which takes notices until it goes (SPEC R22).

`rules.grouping` decides when that is. Puts no notice in, and writes no message.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import connection

from integration_alerts.directory.columns import columns
from integration_alerts.rules.grouping import Rhythm, goes_at


@dataclass(frozen=True, slots=True)
class Groups:
    """The email of each member, by the member's id, and whether one of them goes now."""

    emails: dict[int, int]
    due: bool


def open_groups(
    member_ids: Collection[int], now: datetime, message_id_domain: str, *, at_once: bool = False
) -> Groups:
    """Find or make an open email for each of these members, under this transaction's lock.

    The lock keeps the email from being written until the caller has put its notices in. `at_once`
    leaves the account's waiting times out.
    """
    emails: dict[int, int] = {}
    due = False
    with connection.cursor() as cursor:
        times = _times(cursor, member_ids, now, at_once=at_once)
        while missing := sorted(set(times) - set(emails)):
            rows = [(*times[member], member, f"<{uuid4()}@{message_id_domain}>")
                    for member in missing]  # fmt: skip
            cursor.execute(_OPEN, [now, *columns(rows, 4)])
            # One that was made or found may be claimed before it is locked: then once more.
            cursor.execute(_LOCK, [missing])
            for email_id, member_id, goes in cursor.fetchall():
                emails[member_id] = email_id
                due |= goes <= now
    return Groups(emails, due)


def _times(
    cursor: Any, member_ids: Collection[int], now: datetime, *, at_once: bool
) -> dict[int, tuple[datetime, int]]:
    """When a new group of each member would go, with the account."""
    cursor.execute(_RHYTHMS, [list(member_ids)])
    return {
        member_id: (
            now
            if at_once
            else goes_at(now, last, Rhythm(timedelta(seconds=wait), timedelta(seconds=interval))),
            account_id,
        )
        for member_id, account_id, wait, interval, last in cursor.fetchall()
    }


# `address` is set when an email is written. Served by the index email_of_member.
_RHYTHMS = """
SELECT member.id, account.id, account.group_wait, account.group_interval, latest.date
FROM member
JOIN account ON account.id = member.account_id
LEFT JOIN LATERAL (
    SELECT email.date FROM email
    WHERE email.member_id = member.id AND email.address <> ''
    ORDER BY email.id DESC LIMIT 1
) AS latest ON true
WHERE member.id = ANY(%s)"""

# In the order of the members, so that composers that meet wait for each other.
_OPEN = """
INSERT INTO email (date, next_attempt_at, account_id, member_id, message_id, status,
                   outcome_reason, subject, address, attempts, open)
SELECT %s, batch.*, 'queued', '', '', '', 0, true
FROM unnest(%s::timestamptz[], %s::bigint[], %s::bigint[], %s::text[])
     AS batch (goes, account_id, member_id, message_id)
ORDER BY batch.member_id
ON CONFLICT (member_id) WHERE open DO NOTHING"""

_LOCK = """
SELECT id, member_id, next_attempt_at FROM email
WHERE member_id = ANY(%s) AND open
ORDER BY member_id
FOR NO KEY UPDATE"""
