"""What follows from a report that an email came back, or was complained about.

The email ends as `bounced`, and by `rules.suppression` its address is held back. Believes nobody
without a signature of ours (`return_path`), and each report about an email once. Reading reports
is `dsn`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import connection, transaction
from django.db.models import Q

from integration_alerts.directory import suppressions
from integration_alerts.mail import dsn
from integration_alerts.mail.dsn import Report
from integration_alerts.mail.models import Bounce, DeliveryAttempt, Email, EmailStatus
from integration_alerts.mail.return_path import read_return_path, read_token
from integration_alerts.rules.retry import Phase
from integration_alerts.rules.suppression import (
    OLDEST,
    SOFT_LIMIT,
    BounceKind,
    suppresses,
)

_ADVISORY_LOCKS = 4201  # of this module; the second key is a member


class Result(StrEnum):
    """What became of a report."""

    RECORDED = "recorded"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"


class Reason(StrEnum):
    """Why a report was ignored; the text is what its sender reads."""

    UNSIGNED = "no recipient of the message is a return path that was signed here"
    NO_EMAIL = "the email is not here any more"
    NOT_SENT = "the email was never handed to a mail server"
    STALE = f"the email was sent more than {OLDEST.days} days ago"


class StillSending(Exception):
    """The report was quicker than the note that the email was accepted; bring it again."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a report; `reason` is empty unless it was ignored."""

    result: Result
    reason: str = ""


def take_message(raw: bytes, recipient: str, now: datetime) -> Taken:
    """Take a returned message in.

    The signed address is `recipient`, the envelope's, or stands in the message: a complaint comes
    to an address that was agreed with a provider. Mail that is no report of a failed delivery is
    ignored, such as a delay or somebody's answer. Raises StillSending.
    """
    email_id = _signed([recipient, *dsn.recipients(raw)])
    if email_id is None:
        return Taken(Result.IGNORED, Reason.UNSIGNED)
    report = dsn.read(raw)
    if not isinstance(report, Report):
        return Taken(Result.IGNORED, report.value)
    return take(report, email_id, now)


def sent_as(reference: str, remote_id: str) -> int | None:
    """The id of the email that an email service (ESP) speaks of; None: it is not known here.

    `reference` is the signed token that went along; services that take none name the message by
    the id that they gave it. That one is no secret: ask only for a caller who signed in.
    """
    if (found := read_token(reference)) is not None or not remote_id:
        return found
    attempts = DeliveryAttempt.objects.filter(remote_id=remote_id)
    return attempts.values_list("email_id", flat=True).first()


def take(report: Report, email_id: int, now: datetime) -> Taken:
    """Record a report about an email whose id was proven by a signature. Raises StillSending."""
    member_id = Email.objects.filter(pk=email_id).values_list("member_id", flat=True).first()
    if member_id is None:
        return Taken(Result.IGNORED, Reason.NO_EMAIL)
    with transaction.atomic():
        # Nobody else takes this lock, and it comes first: two reports about a member's mails count
        # each other, and cannot wait for each other's emails.
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(%s, hashint8(%s))", [_ADVISORY_LOCKS, member_id]
            )
        email = Email.objects.select_for_update(no_key=True).filter(pk=email_id).first()
        if email is None:
            return Taken(Result.IGNORED, Reason.NO_EMAIL)
        sent_at = _sent_at(email)
        if sent_at is None and email.status == EmailStatus.SENDING:
            raise StillSending
        if sent_at is None:
            return Taken(Result.IGNORED, Reason.NOT_SENT)
        if now - sent_at > OLDEST:
            return Taken(Result.IGNORED, Reason.STALE)
        if not _record(report, email, now):
            return Taken(Result.DUPLICATE)
        if report.kind is not BounceKind.COMPLAINT:
            _end(email, report, now)
        _suppress(report, email, sent_at, now)
    return Taken(Result.RECORDED)


def _signed(addresses: Iterable[str]) -> int | None:
    return next((found for each in addresses if (found := read_return_path(each))), None)


def _sent_at(email: Email) -> datetime | None:
    """When a server took the email, or may have taken it; None: none did.

    Silence after the final dot may have been an acceptance (R24).
    """
    taken = DeliveryAttempt.objects.filter(
        Q(code=None) | Q(code__range=(200, 299)), email=email, phase=Phase.ACCEPTANCE.value
    )
    return taken.order_by("finished_at").values_list("finished_at", flat=True).last()


def _record(report: Report, email: Email, now: datetime) -> bool:
    """Write the row; False: there is one of this kind for this email."""
    _, created = Bounce.objects.get_or_create(
        email=email,
        kind=report.kind.value,
        defaults={
            "account_id": email.account_id,
            "member_id": email.member_id,
            "address": email.address,
            "status": report.status,
            "diagnostic": report.diagnostic,
            "source": report.source,
            "received_at": now,
        },
    )
    return created


def _end(email: Email, report: Report, now: datetime) -> None:
    """The email ends as `bounced`, whatever it was: a report proves that a server had it."""
    email.status, email.outcome_reason = EmailStatus.BOUNCED.value, report.reason
    email.ended_at = now
    email.claimed_by = email.next_attempt_at = None
    email.save(
        update_fields=["status", "outcome_reason", "ended_at", "claimed_by", "next_attempt_at"]
    )


def _suppress(report: Report, email: Email, sent_at: datetime, now: datetime) -> None:
    lifted_at = suppressions.last_lifted(email.member_id, email.address)
    if lifted_at is not None and sent_at < lifted_at:
        return  # a late report about a mail from before somebody said: try again
    soft = 0
    if report.kind is BounceKind.SOFT:
        soft = _soft_emails(email, now, since=lifted_at)
    if suppresses(report.kind, soft):
        reason = report.fault.value
        if report.kind is BounceKind.SOFT:
            reason = f"{reason} ({soft} mails within {SOFT_LIMIT.within.days} days)"
        suppressions.suppress(email.member, email.address, report.kind, reason, now)


def _soft_emails(email: Email, now: datetime, since: datetime | None) -> int:
    """How many emails to the address came back softly of late, this one included."""
    begin = max(filter(None, (now - SOFT_LIMIT.within, since)))
    return Bounce.objects.filter(
        member=email.member_id,
        address=email.address,
        kind=BounceKind.SOFT.value,
        received_at__gt=begin,
    ).count()
