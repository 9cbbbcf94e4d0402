"""The open email of each recipient, which takes notices until it goes (SPEC R22).

`rules.grouping` decides when that is. Puts no notice in, and writes no message.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from integration_alerts.directory.columns import array, columns
from integration_alerts.directory.statements import fetch
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
    times = _times(member_ids, now, at_once=at_once)
    missing = sorted(times)
    while missing:
        rows = [(member, *times[member]) for member in missing]
        made = dict(fetch(_OPEN, [now, f"@{message_id_domain}>", *columns(rows, 3)]))
        emails |= made
        due |= any(times[member][1] <= now for member in made)
        if found := [member for member in missing if member not in made]:
            for member_id, email_id, goes_now in fetch(_LOCK, [now, array(found)]):
                emails[member_id] = email_id
                due |= goes_now
        # One that was found may be claimed before it is locked: then once more.
        missing = [member for member in found if member not in emails]
    return Groups(emails, due)


def _times(
    member_ids: Collection[int], now: datetime, *, at_once: bool
) -> dict[int, tuple[int, datetime]]:
    """The account of each member, and when a new group of theirs would go."""
    return {
        member_id: (
            account_id,
            now
            if at_once
            else goes_at(now, last, Rhythm(timedelta(seconds=wait), timedelta(seconds=interval))),
        )
        for member_id, account_id, wait, interval, last in fetch(_RHYTHMS, [array(member_ids)])
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
WHERE member.id = ANY(%s::bigint[])"""

# In the order of the members, so that composers that meet wait for each other. Those that are made
# here are this transaction's; nobody else sees them yet.
_OPEN = """
INSERT INTO email (date, next_attempt_at, account_id, member_id, message_id, status,
                   outcome_reason, subject, address, attempts, open)
SELECT %s, batch.goes, batch.account_id, batch.member_id, '<' || gen_random_uuid() || %s,
       'queued', '', '', '', 0, true
FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[])
     AS batch (member_id, account_id, goes)
ORDER BY batch.member_id
ON CONFLICT (member_id) WHERE open DO NOTHING
RETURNING member_id, id"""

_LOCK = """
SELECT member_id, id, next_attempt_at <= %s FROM email
WHERE member_id = ANY(%s::bigint[]) AND open
ORDER BY member_id
FOR NO KEY UPDATE"""
