"""The outbox: emails, the notices in them, every delivery attempt."""

from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import Q

from integration_alerts.alerts.models import Notice
from integration_alerts.directory.models import Account, Company, Member
from integration_alerts.directory.tenancy import SameAccount, account_key
from integration_alerts.mail.packing import PackedField


class EmailStatus(StrEnum):
    """Where an email stands (R25).

    queued -> sending | cancelled | failed (cannot be written) | sent (a late acceptance);
    sending -> sent | failed | cancelled | queued (to be tried again); sent -> bounced, and from any
    other when a report proves that a server had accepted it all the same.
    """

    QUEUED = "queued"
    SENDING = "sending"  # claimed by a worker; given back when that worker dies
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"
    BOUNCED = "bounced"


class Email(models.Model):
    """One message to one recipient, carrying one or more notices.

    While it is `open` it takes further notices (R22) and has no bytes yet; `next_attempt_at` is
    when it goes. `date` is when it was composed, and later when its bytes were written.

    `message` holds the exact bytes from the first attempt on, so that a repeated attempt is a copy
    with the same Message-ID (R24). `address` is where the last attempt went; what counts before
    an attempt is the member's current address (R13).
    """

    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    member = models.ForeignKey(
        Member, models.PROTECT, db_constraint=False, db_index=False, related_name="emails"
    )
    message_id = models.TextField()  # unique, without the second index that `unique` brings
    date = models.DateTimeField()
    status = models.TextField(
        choices=[(status.value, status.value) for status in EmailStatus],
        default=EmailStatus.QUEUED.value,
    )
    outcome_reason = models.TextField(default="")  # why it was cancelled or failed, for people
    ended_at = models.DateTimeField(null=True, blank=True)
    subject = models.TextField(default="")
    address = models.TextField(default="")
    message = PackedField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    first_attempt_at = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    claimed_by = models.UUIDField(null=True, blank=True)  # the worker, while `sending`
    open = models.BooleanField(default=False, db_default=False)

    class Meta:
        db_table = "email"
        constraints: ClassVar = [
            account_key("email_account_key"),
            models.UniqueConstraint(fields=["message_id"], name="email_message_id_key"),
            SameAccount(field="member", name="email_member_same_account"),
            models.CheckConstraint(
                condition=Q(status__in=[*EmailStatus]), name="email_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status=EmailStatus.SENDING.value, claimed_by__isnull=False)
                | (~Q(status=EmailStatus.SENDING.value) & Q(claimed_by__isnull=True)),
                name="email_claimed_while_sending",
            ),
            models.CheckConstraint(
                condition=Q(status=EmailStatus.QUEUED.value, next_attempt_at__isnull=False)
                | (~Q(status=EmailStatus.QUEUED.value) & Q(next_attempt_at__isnull=True)),
                name="email_next_attempt_while_queued",
            ),
            models.CheckConstraint(
                condition=Q(open=False) | Q(status=EmailStatus.QUEUED.value, message__isnull=True),
                name="email_open_while_unwritten",
            ),
            # One open group a member: mail.composing adds to it, or makes it.
            models.UniqueConstraint(
                fields=["member"], condition=Q(open=True), name="email_one_open"
            ),
        ]
        indexes: ClassVar = [
            # mail.outbox.claim takes what is due by this hint.
            models.Index(
                fields=["next_attempt_at"],
                condition=Q(status=EmailStatus.QUEUED.value),
                name="email_due",
            ),
            # mail.outbox.give_back_abandoned looks for dead workers' claims.
            models.Index(
                fields=["claimed_by"],
                condition=Q(status=EmailStatus.SENDING.value),
                name="email_claimed",
            ),
            # mail.history asks for a member's latest mail, mail.composing when it was written.
            models.Index(fields=["member", "-id"], name="email_of_member"),
        ]

    def __str__(self) -> str:
        return self.subject or f"Email {self.pk}"


class EmailNotice(models.Model):
    """A notice in an email. A member is told of a notice in one email only (R7).

    `released` frees a notice that its email does not tell of after all: its state had ended, or the
    member may not be told of it any more. Should the incident enter that state again, the member
    can be told. `company` is the one that the email names, which the integration may leave (R15).
    """

    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    email = models.ForeignKey(Email, models.CASCADE, db_constraint=False, related_name="items")
    notice = models.ForeignKey(Notice, models.CASCADE, db_constraint=False)
    member = models.ForeignKey(Member, models.PROTECT, db_constraint=False)
    company = models.ForeignKey(Company, models.PROTECT, db_constraint=False, db_index=False)
    released = models.BooleanField(default=False)

    class Meta:
        db_table = "email_notice"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["notice", "member"], condition=Q(released=False), name="email_notice_once"
            ),
            SameAccount(field="email", name="email_notice_email_same_account"),
            SameAccount(field="notice", name="email_notice_notice_same_account"),
            SameAccount(field="member", name="email_notice_member_same_account"),
            SameAccount(field="company", name="email_notice_company_same_account"),
        ]


class DeliveryAttempt(models.Model):
    """One try to hand an email to a mail server, with the server's answer."""

    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    email = models.ForeignKey(Email, models.CASCADE, db_constraint=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    address = models.TextField()
    phase = models.TextField()
    code = models.IntegerField(null=True, blank=True)  # null: no answer
    answer = models.TextField()
    remote_id = models.TextField(default="", db_default="")  # what an ESP calls the message

    class Meta:
        db_table = "delivery_attempt"
        constraints: ClassVar = [
            SameAccount(field="email", name="delivery_attempt_email_same_account"),
        ]
        indexes: ClassVar = [
            # mail.bounces looks up what an ESP's webhook speaks of.
            models.Index(
                fields=["remote_id"], condition=~Q(remote_id=""), name="delivery_attempt_remote_id"
            ),
        ]
