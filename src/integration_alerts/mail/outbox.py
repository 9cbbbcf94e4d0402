"""The outbox's rows: claiming emails to send, checking them again, recording what came of it.

Each function is one short transaction or part of one; none is open while a mail server is spoken to
(R24). The order of the steps is `delivering`.
"""

import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, connection, transaction

from integration_alerts.mail.models import DeliveryAttempt, Email, EmailStatus
from integration_alerts.mail.settling import end, settle
from integration_alerts.mail.wanted import look_again
from integration_alerts.mail.withdrawing import withdraw_ended
from integration_alerts.mail.writing import Stationery
from integration_alerts.rules.retry import Answer, Verdict, next_attempt_at, verdict

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claimed:
    """An email that this worker, and no other, may try to send."""

    id: int
    address: str
    message: bytes


def claim(worker: UUID, now: datetime, limit: int, stationery: Stationery) -> list[Claimed]:
    """Claim emails that are due, with their bytes fixed and durable before any attempt (R24).

    Those that nobody wants any more end as cancelled, those that cannot be written as failed; one
    such never holds up the others. A claimed one takes no further notices (R22). An empty list:
    nothing is due.
    """
    claimed: list[Claimed] = []
    while not claimed:
        ended: set[int] = set()
        with transaction.atomic():
            rows = _due(now, limit)
            if not rows:
                return []
            for row, wanted in zip(rows, look_again([row.pk for row in rows]), strict=True):
                ended |= wanted.ended_incidents
                if (settled := settle(row, wanted, now, stationery)) is not None:
                    row.status, row.claimed_by = EmailStatus.SENDING.value, worker
                    row.next_attempt_at = None
                    claimed.append(Claimed(row.pk, *settled))
            Email.objects.bulk_update(rows, _CHANGING)
        if ended:
            _withdraw(ended, now)
    return claimed


def check_again(
    email: Claimed, worker: UUID, now: datetime, stationery: Stationery
) -> Claimed | None:
    """Whether it may still be sent, right before it is (R10, R12); None: not by this worker.

    Read without a lock: the row is this worker's while it is `sending`. A new address of the
    recipient is taken over (R13).
    """
    (wanted,) = look_again([email.id])
    if wanted.unchanged and wanted.address == email.address and wanted.claimed_by == worker:
        return email
    with transaction.atomic():
        row = Email.objects.select_for_update().get(pk=email.id)
        if row.claimed_by != worker:
            return None  # this worker was taken for dead meanwhile, and the email given back
        settled = settle(row, wanted, now, stationery)
        row.save(update_fields=_CHANGING)
    if wanted.ended_incidents:
        _withdraw(wanted.ended_incidents, now)
    return None if settled is None else Claimed(row.pk, *settled)


def record(
    email: Claimed, worker: UUID, answer: Answer, started: datetime, finished: datetime,
    jitter: float,
) -> EmailStatus:  # fmt: skip
    """Note an attempt and its outcome; returns where the email stands now."""
    with transaction.atomic():
        row = Email.objects.select_for_update().get(pk=email.id)
        DeliveryAttempt.objects.create(
            account_id=row.account_id, email=row, started_at=started, finished_at=finished,
            address=email.address, phase=answer.phase, code=answer.code, answer=answer.text,
            remote_id=answer.remote_id,
        )  # fmt: skip
        accepted = verdict(answer) is Verdict.ACCEPTED
        # An acceptance counts even if this worker was taken for dead meanwhile: it prevents a copy.
        if row.claimed_by == worker or (accepted and row.status == EmailStatus.QUEUED):
            _apply(row, answer, started, finished, jitter)
            row.save(update_fields=_CHANGING)
    return EmailStatus(row.status)


def claimed_by(worker: UUID) -> set[int]:
    """The emails that this worker has claimed, as the database knows it."""
    claimed = Email.objects.filter(status=EmailStatus.SENDING.value, claimed_by=worker)
    return set(claimed.values_list("pk", flat=True))


def give_back(email_ids: Collection[int], worker: UUID, now: datetime) -> None:
    """Return claimed emails that were not begun."""
    Email.objects.filter(pk__in=email_ids, claimed_by=worker).update(
        status=EmailStatus.QUEUED.value, claimed_by=None, next_attempt_at=now
    )


def give_back_abandoned(possibly_alive: Collection[UUID], now: datetime) -> int:
    """Return the emails of all workers but these; returns how many.

    One that was in flight is tried again with the same bytes and Message-ID (R24). Which ones were,
    nobody knows: each gets an attempt without an answer, so that should its state end now, nobody
    who may have it is told the same in another mail.
    """
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK_ABANDONED, [now, list(possibly_alive), now, now])
        return int(cursor.rowcount)


def count_due(now: datetime, limit: int) -> int:
    """How many emails wait to be sent now; counts no further than `limit`."""
    due = Email.objects.filter(status=EmailStatus.QUEUED.value, next_attempt_at__lte=now)
    return due[:limit].count()


_GIVE_BACK_ABANDONED = """
WITH abandoned AS (
    UPDATE email SET status = 'queued', claimed_by = NULL, next_attempt_at = %s
    WHERE status = 'sending' AND NOT claimed_by = ANY(%s::uuid[])
    RETURNING account_id, id, address
)
INSERT INTO delivery_attempt (account_id, email_id, started_at, finished_at, address, phase, answer)
SELECT account_id, id, %s, %s, address, 'acceptance',
       'the worker ended; the mail server may have accepted the email'
FROM abandoned"""

_CHANGING = [
    "status", "outcome_reason", "ended_at", "date", "subject", "address", "message", "attempts",
    "first_attempt_at", "next_attempt_at", "claimed_by", "open",
]  # fmt: skip


def _due(now: datetime, limit: int) -> list[Email]:
    # Served by the partial index email_due. The loser of a race takes other rows.
    due = Email.objects.filter(status=EmailStatus.QUEUED.value, next_attempt_at__lte=now)
    locked = due.select_for_update(skip_locked=True, no_key=True)
    return list(locked.order_by("next_attempt_at", "pk")[:limit])


def _apply(
    row: Email, answer: Answer, started: datetime, finished: datetime, jitter: float
) -> None:
    row.attempts += 1
    row.first_attempt_at = row.first_attempt_at or started
    row.claimed_by = None
    row.next_attempt_at = None
    match verdict(answer):
        case Verdict.ACCEPTED:
            end(row, EmailStatus.SENT, "", finished)
        case Verdict.PERMANENT:
            end(row, EmailStatus.FAILED, f"refused: {answer.code} {answer.text}", finished)
        case Verdict.TRANSIENT:
            again = next_attempt_at(row.attempts, row.first_attempt_at, finished, jitter)
            if again is None:
                end(row, EmailStatus.FAILED, f"given up after 5 days: {answer.text}", finished)
            else:
                row.status, row.next_attempt_at = EmailStatus.QUEUED.value, again


def _withdraw(incident_ids: set[int], now: datetime) -> None:
    # Those emails are put off and will be found again; the ones just claimed must not be lost now.
    try:
        withdraw_ended(incident_ids, now)
    except DatabaseError as error:
        logger.warning("withdrawing is put off: %s", str(error).strip())
