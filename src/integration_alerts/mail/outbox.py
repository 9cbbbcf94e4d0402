"""The outbox's rows: claiming emails to send, checking them again, recording what came of it.

Each function is one short transaction or part of one; none is open while a mail server is spoken to
(R24). Each costs the same number of statements for any number of emails. The order of the steps is
`delivering`.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, transaction
from msgspec import Struct

from integration_alerts.directory.columns import array
from integration_alerts.directory.statements import run
from integration_alerts.mail import outbox_rows
from integration_alerts.mail.models import Email, EmailStatus
from integration_alerts.mail.outbox_rows import Row
from integration_alerts.mail.settling import end, settle
from integration_alerts.mail.wanted import Wanted, look_again
from integration_alerts.mail.withdrawing import withdraw_ended
from integration_alerts.mail.writing import Stationery
from integration_alerts.rules.retry import Answer, Verdict, next_attempt_at, verdict

logger = logging.getLogger(__name__)


class Claimed(Struct, frozen=True):
    """An email that this worker, and no other, may try to send."""

    id: int
    address: str
    message: bytes


class Attempt(Struct, frozen=True):
    """A try to hand an email over, and what came of it. `jitter` as in `rules.retry`."""

    email: Claimed
    answer: Answer
    started: datetime
    finished: datetime
    jitter: float


def claim(worker: UUID, now: datetime, limit: int, stationery: Stationery) -> list[Claimed]:
    """Claim emails that are due, with their bytes fixed and durable before any attempt (R24).

    Those that nobody wants any more end as cancelled, those that cannot be written as failed; one
    such never holds up the others. A claimed one takes no further notices (R22). An empty list:
    nothing is due.
    """
    claimed: list[Claimed] = []
    while not claimed:
        with transaction.atomic():
            rows = outbox_rows.lock_due(now, limit)
            if not rows:
                return []
            wanted = look_again([row.id for row in rows])
            going = settle(rows, wanted, now, stationery)
            for row in going:
                row.status, row.claimed_by = EmailStatus.SENDING.value, worker
                row.next_attempt_at = None
            outbox_rows.save(rows)
        claimed = [_claimed(row) for row in going]
        _withdraw(wanted, now)
    return claimed


def check_again(
    emails: Sequence[Claimed], worker: UUID, now: datetime, stationery: Stationery
) -> list[Claimed]:
    """Those of the emails that this worker may still send, right before it does (R10, R12).

    Read without a lock: the rows are this worker's while they are `sending`. A new address of the
    recipient is taken over (R13).
    """
    found = dict(
        zip([email.id for email in emails], look_again([e.id for e in emails]), strict=True)
    )
    changed = {
        email.id: found[email.id]
        for email in emails
        if not _as_it_was(email, found[email.id], worker)
    }
    anew = _settle_claimed(changed, worker, now, stationery) if changed else {}
    _withdraw(list(changed.values()), now)
    return [
        anew[email.id] if email.id in changed else email
        for email in emails
        if email.id not in changed or email.id in anew
    ]


def record(attempts: Sequence[Attempt], worker: UUID) -> dict[int, EmailStatus]:
    """Note attempts and their outcomes; returns where each of the emails stands now."""
    accepted: list[Attempt] = []
    others: list[Attempt] = []
    for attempt in attempts:
        (accepted if verdict(attempt.answer) is Verdict.ACCEPTED else others).append(attempt)
    if not others:
        statuses = outbox_rows.note_accepted(_values_of(accepted), worker)
        return {email_id: EmailStatus(status) for email_id, status in statuses.items()}
    # Noted as a whole or not at all: whoever calls tries again after a fault.
    with transaction.atomic():
        rows = outbox_rows.lock_to_record([attempt.email.id for attempt in attempts])
        statuses = outbox_rows.note_accepted(_values_of(accepted), worker) if accepted else {}
        statuses |= _record_others(others, [row for row in rows if row.id not in statuses], worker)
    return {email_id: EmailStatus(status) for email_id, status in statuses.items()}


def _record_others(
    attempts: Sequence[Attempt], rows: Sequence[Row], worker: UUID
) -> dict[int, str]:
    by_id = {attempt.email.id: attempt for attempt in attempts}
    for row in rows:
        if row.claimed_by == worker:
            _apply(row, by_id[row.id])
    outbox_rows.add_attempts(_values_of(attempts))
    outbox_rows.save_outcomes(rows)
    return {row.id: row.status for row in rows}


def claimed_by(worker: UUID) -> set[int]:
    """The emails that this worker has claimed, as the database knows it."""
    claimed = Email.objects.filter(status=EmailStatus.SENDING.value, claimed_by=worker)
    return set(claimed.values_list("pk", flat=True))


def give_back(email_ids: Collection[int], worker: UUID, now: datetime) -> None:
    """Return claimed emails that were not begun."""
    run(_GIVE_BACK, [now, array(email_ids), worker, worker])


def give_back_abandoned(possibly_alive: Collection[UUID], now: datetime) -> int:
    """Return the emails of all workers but these; returns how many.

    One that was in flight is tried again with the same bytes and Message-ID (R24). Which ones were,
    nobody knows: each gets an attempt without an answer, so that should its state end now, nobody
    who may have it is told the same in another mail.
    """
    return run(_GIVE_BACK_ABANDONED, [now, array(possibly_alive), now, now])


def count_due(now: datetime, limit: int) -> int:
    """How many emails wait to be sent now; counts no further than `limit`."""
    due = Email.objects.filter(status=EmailStatus.QUEUED.value, next_attempt_at__lte=now)
    return due[:limit].count()


def _claimed(row: Row) -> Claimed:
    assert row.message is not None
    return Claimed(row.id, row.address, bytes(row.message))


def _as_it_was(email: Claimed, wanted: Wanted, worker: UUID) -> bool:
    return wanted.unchanged and wanted.address == email.address and wanted.claimed_by == worker


def _settle_claimed(
    changed: Mapping[int, Wanted], worker: UUID, now: datetime, stationery: Stationery
) -> dict[int, Claimed]:
    """What of the changed emails is to be sent after all, as it is now."""
    with transaction.atomic():
        # Without those of which this worker lost the claim: it was taken for dead meanwhile.
        rows = outbox_rows.lock_claimed(changed, worker)
        going = settle(rows, [changed[row.id] for row in rows], now, stationery)
        outbox_rows.save(rows)
    return {row.id: _claimed(row) for row in going}


def _apply(row: Row, attempt: Attempt) -> None:
    answer, finished = attempt.answer, attempt.finished
    row.attempts += 1
    row.first_attempt_at = row.first_attempt_at or attempt.started
    row.claimed_by = None
    row.next_attempt_at = None
    match verdict(answer):
        case Verdict.PERMANENT:
            end(row, EmailStatus.FAILED, f"refused: {answer.code} {answer.text}", finished)
        case Verdict.TRANSIENT:
            again = next_attempt_at(row.attempts, row.first_attempt_at, finished, attempt.jitter)
            if again is None:
                end(row, EmailStatus.FAILED, f"given up after 5 days: {answer.text}", finished)
            else:
                row.status, row.next_attempt_at = EmailStatus.QUEUED.value, again


def _values_of(attempts: Sequence[Attempt]) -> list[tuple[Any, ...]]:
    return [
        (
            attempt.email.id, attempt.started, attempt.finished, attempt.email.address,
            attempt.answer.phase.value, attempt.answer.code, attempt.answer.text,
            attempt.answer.remote_id,
        )
        for attempt in attempts
    ]  # fmt: skip


def _withdraw(wanted: Sequence[Wanted], now: datetime) -> None:
    ended = {incident for each in wanted for incident in each.ended_incidents}
    if not ended:
        return
    # Those emails are put off and will be found again; the ones just claimed must not be lost now.
    try:
        withdraw_ended(ended, now)
    except DatabaseError as error:
        logger.warning("withdrawing is put off: %s", str(error).strip())


# Locked in the order in which outcomes are recorded.
_GIVE_BACK = """
UPDATE email SET status = 'queued', claimed_by = NULL, next_attempt_at = %s
WHERE id IN (SELECT id FROM email WHERE id = ANY(%s::bigint[]) AND claimed_by = %s
             ORDER BY id FOR NO KEY UPDATE)
  AND claimed_by = %s"""

_GIVE_BACK_ABANDONED = """
WITH abandoned AS (
    UPDATE email SET status = 'queued', claimed_by = NULL, next_attempt_at = %s
    WHERE id IN (SELECT id FROM email
                 WHERE status = 'sending' AND NOT claimed_by = ANY(%s::uuid[])
                 ORDER BY id FOR NO KEY UPDATE)
      AND status = 'sending'
    RETURNING account_id, id, address
)
INSERT INTO delivery_attempt (account_id, email_id, started_at, finished_at, address, phase, answer)
SELECT account_id, id, %s, %s, address, 'acceptance',
       'the worker ended; the mail server may have accepted the email'
FROM abandoned"""
