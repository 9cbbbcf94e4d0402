"""What becomes of an email that is about to go: sent as it is, written anew, put off, or ended.

Works on a row under the caller's lock, and leaves saving it to the caller.
"""

from datetime import datetime, timedelta

from integration_alerts.mail.models import Email, EmailNotice, EmailStatus
from integration_alerts.mail.wanted import Wanted, may_have_been_accepted
from integration_alerts.mail.writing import Draft, Stationery, Unwritable, write_all

_PUT_OFF = timedelta(seconds=10)


def settle(
    row: Email, wanted: Wanted, now: datetime, stationery: Stationery
) -> tuple[str, bytes] | None:
    """The address and the bytes to send, fixed in the row; None: nothing is to be sent now."""
    if not wanted.keep:
        if wanted.ended_incidents:
            _put_off(row, now)
        else:
            end(row, EmailStatus.CANCELLED, wanted.obstacle or "nothing is left to tell", now)
        return None
    if row.message is None or not _may_go_as_it_is(row, wanted):
        _take_out(wanted)
        if not _write(row, wanted.address, now, stationery):
            return None
    assert row.message is not None
    return row.address, bytes(row.message)


def end(row: Email, status: EmailStatus, reason: str, now: datetime) -> None:
    """Let an email end."""
    row.status, row.outcome_reason, row.ended_at = status.value, reason, now
    row.claimed_by = row.next_attempt_at = None
    row.open = False


def _may_go_as_it_is(row: Email, wanted: Wanted) -> bool:
    """Whether the bytes of an earlier attempt still serve.

    If they may have been accepted then, a copy is all that may follow (R24), even when a part of it
    is over meanwhile. But never to another address, and never with what the recipient may not see.
    """
    if row.address != wanted.address or wanted.denied or wanted.moved:
        return False
    return not wanted.drop or row.pk in may_have_been_accepted([row.pk])


def _take_out(wanted: Wanted) -> None:
    if wanted.drop:
        EmailNotice.objects.filter(pk__in=wanted.drop).update(released=True)
    for company_id in set(wanted.moved.values()):
        moved = [item for item, company in wanted.moved.items() if company == company_id]
        EmailNotice.objects.filter(pk__in=moved).update(company_id=company_id)


def _write(row: Email, address: str, now: datetime, stationery: Stationery) -> bool:
    """Fix the bytes; Message-ID and Date stay what they were once there was a first version."""
    row.open = False
    if not row.address:
        row.date = now
    draft = Draft(row.pk, row.account_id, row.member_id, row.message_id, row.date, address)
    written = write_all([draft], stationery)[draft.id]
    if isinstance(written, Unwritable):
        end(row, EmailStatus.FAILED, f"it could not be written: {written.reason}", now)
        return False
    row.subject, row.message, row.address = written.subject, written.message, address
    return True


def _put_off(row: Email, now: datetime) -> None:
    # Withdrawing takes locks that must not be waited for while holding this row, so it comes after
    # the commit. Should this worker die in between, the row is found again and it is made up for.
    row.status, row.claimed_by = EmailStatus.QUEUED.value, None
    row.next_attempt_at = now + _PUT_OFF
