"""What becomes of emails that are about to go: sent as they are, written anew, put off, or ended.

Works on rows under the caller's lock, and leaves saving them to the caller.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from integration_alerts.mail.models import EmailNotice, EmailStatus
from integration_alerts.mail.outbox_rows import Row
from integration_alerts.mail.wanted import Wanted, may_have_been_accepted
from integration_alerts.mail.writing import Draft, Stationery, Unwritable, write_all

_PUT_OFF = timedelta(seconds=10)


def settle(
    rows: Sequence[Row], wanted: Sequence[Wanted], now: datetime, stationery: Stationery
) -> list[Row]:
    """Those of the emails that are to be sent now, with their address and bytes fixed."""
    unknown = _unknown_acceptances(rows, wanted)
    leaving, to_write = set(), []
    for row, each in zip(rows, wanted, strict=True):
        if not each.keep:
            _leave_out(row, each, now)
        elif row.message is not None and _may_go_as_it_is(row, each, unknown):
            leaving.add(row.id)
        else:
            to_write.append((row, each))
    _take_out([each for _, each in to_write])
    leaving |= _write([(row, each.address) for row, each in to_write], now, stationery)
    return [row for row in rows if row.id in leaving]


def end(row: Row, status: EmailStatus, reason: str, now: datetime) -> None:
    """Let an email end."""
    row.status, row.outcome_reason, row.ended_at = status.value, reason, now
    row.claimed_by = row.next_attempt_at = None
    row.open = False


def _unknown_acceptances(rows: Sequence[Row], wanted: Sequence[Wanted]) -> set[int]:
    asked = [
        row.id
        for row, each in zip(rows, wanted, strict=True)
        if row.message is not None and each.drop
    ]
    return may_have_been_accepted(asked) if asked else set()


def _may_go_as_it_is(row: Row, wanted: Wanted, unknown: Collection[int]) -> bool:
    """Whether the bytes of an earlier attempt still serve.

    If they may have been accepted then, a copy is all that may follow (R24), even when a part of it
    is over meanwhile. But never to another address, and never with what the recipient may not see.
    """
    if row.address != wanted.address or wanted.denied or wanted.moved:
        return False
    return not wanted.drop or row.id in unknown


def _leave_out(row: Row, wanted: Wanted, now: datetime) -> None:
    if not wanted.ended_incidents:
        end(row, EmailStatus.CANCELLED, wanted.obstacle or "nothing is left to tell", now)
        return
    # Withdrawing takes locks that must not be waited for while holding this row, so it comes after
    # the commit. Should this worker die in between, the row is found again and it is made up for.
    row.status, row.claimed_by = EmailStatus.QUEUED.value, None
    row.next_attempt_at = now + _PUT_OFF


def _take_out(wanted: Sequence[Wanted]) -> None:
    dropped = [item for each in wanted for item in each.drop]
    if dropped:
        EmailNotice.objects.filter(pk__in=dropped).update(released=True)
    moved: dict[int, list[int]] = defaultdict(list)
    for each in wanted:
        for item, company_id in each.moved.items():
            moved[company_id].append(item)
    for company_id, items in moved.items():
        EmailNotice.objects.filter(pk__in=items).update(company_id=company_id)


def _write(rows: Sequence[tuple[Row, str]], now: datetime, stationery: Stationery) -> set[int]:
    """Fix the bytes; Message-ID and Date stay what they were once there was a first version."""
    for row, _ in rows:
        row.open = False
        if not row.address:
            row.date = now
    written = write_all(
        [
            Draft(row.id, row.account_id, row.member_id, row.message_id, row.date, address)
            for row, address in rows
        ],
        stationery,
    )
    done = set()
    for row, address in rows:
        match written[row.id]:
            case Unwritable(reason):
                end(row, EmailStatus.FAILED, f"it could not be written: {reason}", now)
            case found:
                row.subject, row.message, row.address = found.subject, found.message, address
                done.add(row.id)
    return done
