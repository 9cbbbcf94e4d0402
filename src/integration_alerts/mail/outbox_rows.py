"""The rows of the outbox, as it locks and saves them: many at a time, without Django's models.

Decides nothing; `outbox` and `settling` do.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from integration_alerts.directory.columns import array, columns
from integration_alerts.directory.statements import fetch, run
from integration_alerts.mail.packing import pack, unpack


@dataclass(slots=True)
class Row:
    """An email under this transaction's lock; the fields are those of `models.Email`."""

    id: int
    account_id: int
    member_id: int
    message_id: str
    status: str
    attempts: int
    date: datetime
    first_attempt_at: datetime | None
    next_attempt_at: datetime | None
    claimed_by: UUID | None
    subject: str
    address: str
    open: bool
    outcome_reason: str
    ended_at: datetime | None
    message: bytes | None = None
    """Not read where it is only recorded what became of it."""


def lock_due(now: datetime, limit: int) -> list[Row]:
    """The queued emails whose time has come, the earliest first; those that nobody else holds."""
    return [_with_message(record) for record in fetch(_LOCK_DUE, [now, limit])]


def lock_claimed(email_ids: Collection[int], worker: UUID) -> list[Row]:
    """Those of the emails that this worker still has."""
    return [_with_message(record) for record in fetch(_LOCK_CLAIMED, [array(email_ids), worker])]


def lock_to_record(email_ids: Collection[int]) -> list[Row]:
    """The emails, without their messages, which stay what they are."""
    return [Row(*record) for record in fetch(_LOCK_TO_RECORD, [array(email_ids)])]


def save(rows: Sequence[Row]) -> None:
    """Write what a claim, or a look right before sending, may have changed."""
    values = [
        (
            row.id, row.status, row.outcome_reason, row.ended_at, row.date, row.subject,
            row.address, row.next_attempt_at, row.claimed_by, row.open,
        )
        for row in rows
    ]  # fmt: skip
    messages = [None if row.message is None else f"\\x{pack(row.message).hex()}" for row in rows]
    run(_SAVE, [*columns(values, 10), array(messages)])


def save_outcomes(rows: Sequence[Row]) -> None:
    """Write what an attempt may have changed."""
    values = [
        (
            row.id, row.status, row.outcome_reason, row.ended_at, row.attempts,
            row.first_attempt_at, row.next_attempt_at, row.claimed_by,
        )
        for row in rows
    ]  # fmt: skip
    run(_SAVE_OUTCOMES, columns(values, 8))


def add_attempts(values: Sequence[tuple[Any, ...]]) -> None:
    """Write delivery attempts: email, start, end, address, phase, code, answer, remote id."""
    run(_ADD_ATTEMPTS, columns(values, 8))


def note_accepted(values: Sequence[tuple[Any, ...]], worker: UUID) -> dict[int, str]:
    """Write attempts that were accepted, as `add_attempts`, and that their emails are sent.

    Returns where the emails stand. One statement, because as many connections wait for it as had
    an answer.
    """
    return dict(fetch(_NOTE_ACCEPTED, [*columns(values, 8), worker]))


def _with_message(record: tuple[Any, ...]) -> Row:
    *fields, message = record
    row = Row(*fields)
    row.message = None if message is None else unpack(message)
    return row


_COLUMNS = """
id, account_id, member_id, message_id, status, attempts, date, first_attempt_at, next_attempt_at,
claimed_by, subject, address, open, outcome_reason, ended_at"""

# Served by the partial index email_due. The loser of a race takes other rows.
_LOCK_DUE = f"""
SELECT {_COLUMNS}, message FROM email
WHERE status = 'queued' AND next_attempt_at <= %s
ORDER BY next_attempt_at, id LIMIT %s
FOR NO KEY UPDATE SKIP LOCKED"""

_LOCK_CLAIMED = f"""
SELECT {_COLUMNS}, message FROM email
WHERE id = ANY(%s::bigint[]) AND claimed_by = %s
ORDER BY id FOR NO KEY UPDATE"""

_LOCK_TO_RECORD = f"""
SELECT {_COLUMNS} FROM email
WHERE id = ANY(%s::bigint[])
ORDER BY id FOR NO KEY UPDATE"""

_SAVE = """
UPDATE email
SET status = batch.status, outcome_reason = batch.reason, ended_at = batch.ended_at,
    date = batch.date, subject = batch.subject, address = batch.address, message = batch.message,
    next_attempt_at = batch.next_attempt_at, claimed_by = batch.claimed_by, open = batch.open
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::text[],
            %s::text[], %s::timestamptz[], %s::uuid[], %s::boolean[], %s::bytea[])
     AS batch (id, status, reason, ended_at, date, subject, address, next_attempt_at, claimed_by,
               open, message)
WHERE email.id = batch.id"""

# Without the message: what does not change is not written.
_SAVE_OUTCOMES = """
UPDATE email
SET status = batch.status, outcome_reason = batch.reason, ended_at = batch.ended_at,
    attempts = batch.attempts, first_attempt_at = batch.first_attempt_at,
    next_attempt_at = batch.next_attempt_at, claimed_by = batch.claimed_by
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::integer[],
            %s::timestamptz[], %s::timestamptz[], %s::uuid[])
     AS batch (id, status, reason, ended_at, attempts, first_attempt_at, next_attempt_at,
               claimed_by)
WHERE email.id = batch.id"""

_BATCH = """
SELECT * FROM unnest(%s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[],
                     %s::integer[], %s::text[], %s::text[])
     AS attempt (email_id, started_at, finished_at, address, phase, code, answer, remote_id)"""

_INSERT_ATTEMPTS = """
INSERT INTO delivery_attempt (account_id, email_id, started_at, finished_at, address, phase, code,
                              answer, remote_id)
SELECT email.account_id, batch.* FROM batch JOIN email ON email.id = batch.email_id"""

_ADD_ATTEMPTS = f"WITH batch AS ({_BATCH}){_INSERT_ATTEMPTS}"

# An acceptance counts even if this worker was taken for dead meanwhile: it prevents a copy. Locked
# apart: in everybody's order, and who gives it back at this moment is waited for.
_NOTE_ACCEPTED = f"""
WITH batch AS ({_BATCH}),
locked AS (
    SELECT id, status, claimed_by FROM email
    WHERE id IN (SELECT email_id FROM batch)
    ORDER BY id FOR NO KEY UPDATE
),
sent AS (
    UPDATE email
    SET status = 'sent', outcome_reason = '', ended_at = batch.finished_at,
        attempts = email.attempts + 1, next_attempt_at = NULL, claimed_by = NULL,
        first_attempt_at = coalesce(email.first_attempt_at, batch.started_at)
    FROM locked JOIN batch ON batch.email_id = locked.id
    WHERE email.id = locked.id AND (locked.claimed_by = %s OR locked.status = 'queued')
    RETURNING email.id
),
added AS ({_INSERT_ATTEMPTS})
SELECT locked.id, CASE WHEN sent.id IS NULL THEN locked.status ELSE 'sent' END
FROM locked LEFT JOIN sent ON sent.id = locked.id"""
