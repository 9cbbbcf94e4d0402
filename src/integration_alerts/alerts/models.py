"""Who wants to be told (subscriptions) and what must be told (notices)."""

from enum import StrEnum
from typing import ClassVar

from django.db import models
from django.db.models import Q

from integration_alerts.directory.models import Account, Company, Member
from integration_alerts.directory.tenancy import SameAccount, account_key
from integration_alerts.integrations.models import STATE_CHOICES, Incident
from integration_alerts.rules.schedule import Step


class Origin(StrEnum):
    """How a subscription came to be."""

    AUTOMATIC = "automatic"  # the member activated an integration (R17)
    MEMBER = "member"  # made on the page or by the API on a member's behalf
    PLATFORM = "platform"  # imported, or made by the API as the platform


class Subscription(models.Model):
    """A member's integration alert: who is mailed, for which companies (R16, R18)."""

    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    member = models.ForeignKey(Member, models.CASCADE, db_constraint=False)
    covers_all = models.BooleanField(default=True)
    companies = models.ManyToManyField(
        Company, through="CoveredCompany", related_name="subscriptions"
    )
    origin = models.TextField(choices=[(origin.value, origin.name.title()) for origin in Origin])
    created_by = models.ForeignKey(
        Member, models.SET_NULL, null=True, blank=True, related_name="+", db_constraint=False
    )
    created_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True, blank=True)
    unsubscribed_by_link = models.BooleanField(default=False)  # only the recipient resumes (R19)
    tells_recovery = models.BooleanField(default=False)  # opt-in of R10

    class Meta:
        db_table = "subscription"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member"], name="subscription_one_per_member"),
            account_key("subscription_account_key"),
            SameAccount(field="member", name="subscription_member_same_account"),
            SameAccount(field="created_by", name="subscription_creator_same_account"),
            models.CheckConstraint(
                condition=Q(origin__in=[*Origin]), name="subscription_origin_known"
            ),
            models.CheckConstraint(
                condition=Q(unsubscribed_by_link=False) | Q(paused_at__isnull=False),
                name="subscription_unsubscribed_is_paused",
            ),
        ]
        indexes: ClassVar = [
            # mail.recovering asks which accounts have anybody who opted in.
            models.Index(
                fields=["account"],
                condition=Q(tells_recovery=True),
                name="subscription_tells_recovery",
            ),
        ]

    def __str__(self) -> str:
        return f"Alert {self.pk}"


class CoveredCompany(models.Model):
    """A chosen company of a subscription that does not cover all."""

    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    subscription = models.ForeignKey(Subscription, models.CASCADE, db_constraint=False)
    company = models.ForeignKey(Company, models.CASCADE, db_constraint=False)

    class Meta:
        db_table = "covered_company"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subscription", "company"], name="covered_company_once"
            ),
            SameAccount(field="subscription", name="covered_company_subscription_same_account"),
            SameAccount(field="company", name="covered_company_company_same_account"),
        ]


class NoticeStatus(StrEnum):
    """Where a notice stands.

    planned -> composed | no_recipient | held_back | withdrawn; composed, superseded -> withdrawn
    when the state ends before everybody was told; withdrawn -> planned when it is entered again,
    for those who were not told. no_recipient and held_back are ends.
    """

    PLANNED = "planned"  # must be told; waits to be put into mails
    COMPOSED = "composed"  # stands in the mails of its recipients
    SUPERSEDED = "superseded"  # a later step was due at the same time (R8)
    NO_RECIPIENT = "no_recipient"  # nobody may receive it
    HELD_BACK = "held_back"  # everybody knows already that the integration is flapping (R23)
    WITHDRAWN = "withdrawn"  # its state ended before everybody was told (R4, R10)


class Notice(models.Model):
    """(incident, state, step): a thing that people must be told, at most once (R7)."""

    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    incident = models.ForeignKey(
        Incident,
        models.CASCADE,
        db_constraint=False,
        db_index=False,  # notice_once serves it
    )
    state = models.TextField(choices=STATE_CHOICES)
    step = models.TextField(choices=[(step.value, step.value) for step in Step])
    state_since = models.DateTimeField()
    due_at = models.DateTimeField()
    status = models.TextField(choices=[(status.value, status.value) for status in NoticeStatus])
    planned_at = models.DateTimeField()
    flapping = models.BooleanField(default=False, db_default=False)  # this alert says so (R23)

    class Meta:
        db_table = "notice"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["incident", "state", "step"], name="notice_once"),
            account_key("notice_account_key"),
            SameAccount(field="incident", name="notice_incident_same_account"),
            models.CheckConstraint(condition=Q(step__in=[*Step]), name="notice_step_known"),
            models.CheckConstraint(
                condition=Q(status__in=[*NoticeStatus]), name="notice_status_known"
            ),
        ]
        indexes: ClassVar = [
            # mail.composing claims the planned ones, oldest first; all others are not in it.
            models.Index(
                fields=["planned_at"],
                condition=Q(status=NoticeStatus.PLANNED.value),
                name="notice_planned",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.state}, {self.step}"
