"""What is integrated and how it stands: integrations, their history, and incidents."""

from typing import ClassVar

from django.db import models
from django.db.models import Case, Func, Q, Value, When
from django.db.models.functions import Coalesce

from integration_alerts.directory.finding import folded
from integration_alerts.directory.models import Account, Company
from integration_alerts.directory.tenancy import SameAccount, account_key
from integration_alerts.rules.states import UNHEALTHY, State


class Microseconds(Func):
    """A time as microseconds since 1970, in whole numbers."""

    template = "(extract(epoch from %(expressions)s at time zone 'UTC') * 1000000)::bigint"
    output_field = models.BigIntegerField()


STATE_CHOICES = [(state.value, state.name.title()) for state in State]


# One ascending key for "needs you first": failed, pending, never reported, disabled, active, and
# in each the latest change first. A state's band is wider than any time in microseconds.
ATTENTION_BAND = 10**16
ATTENTION_ORDER = (State.FAILED, State.PENDING, None, State.DISABLED, State.ACTIVE)


class Integration(models.Model):
    """Belongs to a company; has a provider, a state, and a link where it can be fixed.

    `state` is null while nothing was reported since it was made, deleted or switched on again.
    """

    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    company = models.ForeignKey(Company, models.PROTECT, db_constraint=False, db_index=False)
    external_id = models.TextField()
    name = models.TextField(default="")
    provider = models.TextField(default="")
    fix_url = models.TextField(default="")
    connection = models.TextField(default="")
    state = models.TextField(choices=STATE_CHOICES, null=True, blank=True)
    state_since = models.DateTimeField(null=True, blank=True)
    reported_at = models.DateTimeField(null=True, blank=True)  # the latest instant known (R2)
    reason_code = models.TextField(default="")
    reason_message = models.TextField(default="")
    deleted_at = models.DateTimeField(null=True, blank=True)
    # The openings of its two latest incidents, and since when it is flapping (R23).
    last_opened_at = models.DateTimeField(null=True, blank=True)
    earlier_opened_at = models.DateTimeField(null=True, blank=True)
    flapping_since = models.DateTimeField(null=True, blank=True)
    attention = models.GeneratedField(
        expression=Case(
            *(
                When(state=state.value, then=Value(band * ATTENTION_BAND))
                for band, state in enumerate(ATTENTION_ORDER)
                if state is not None
            ),
            default=Value(ATTENTION_ORDER.index(None) * ATTENTION_BAND),
        )
        - Coalesce(Microseconds("state_since"), Value(0)),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )

    class Meta:
        db_table = "integration"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "external_id"], name="integration_external_id"
            ),
            account_key("integration_account_key"),
            SameAccount(field="company", name="integration_company_same_account"),
            models.CheckConstraint(
                condition=Q(state__isnull=True) | Q(state__in=[*State], state_since__isnull=False),
                name="integration_state_known",
            ),
        ]
        indexes: ClassVar = [
            # integrations.listing pages through a whole account, and through chosen companies.
            models.Index(
                fields=["account", "attention", "id"],
                condition=Q(deleted_at__isnull=True),
                name="integration_attention",
            ),
            models.Index(
                fields=["company", "attention", "id"],
                include=["deleted_at"],
                name="integration_in_company",
            ),
            # directory.finding, for operators: over all accounts, by how it begins.
            models.Index(folded("external_id"), name="integration_external_id_begins"),
            # integrations.listing.providers hops from one provider of an account to the next, and
            # asks whether one of some companies has it.
            models.Index(
                fields=["account", "provider", "company"],
                condition=Q(deleted_at__isnull=True),
                name="integration_providers",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.external_id


class ReportReceipt(models.Model):
    """The event id of every report that was accepted: what makes a second one a duplicate (R2)."""

    pk = models.CompositePrimaryKey("account_id", "event_id")
    # No foreign key: it would be checked for every report. Accounts are closed, never deleted.
    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    event_id = models.TextField()
    received_at = models.DateTimeField()

    class Meta:
        db_table = "report_receipt"
        indexes: ClassVar = [
            # integrations.pruning forgets the oldest.
            models.Index(fields=["received_at"], name="report_receipt_received"),
        ]


class StateChange(models.Model):
    """A report that changed the state, or came too late to (`stale`); kept as history."""

    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    integration = models.ForeignKey(
        Integration, models.CASCADE, db_constraint=False, db_index=False
    )
    event_id = models.TextField()
    state = models.TextField(choices=STATE_CHOICES)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    stale = models.BooleanField(default=False)
    reason_code = models.TextField(default="")
    reason_message = models.TextField(default="")
    actor = models.TextField(default="")  # the platform's user id; it need not be a member

    class Meta:
        db_table = "state_change"
        constraints: ClassVar = [
            SameAccount(field="integration", name="state_change_integration_same_account"),
            models.CheckConstraint(
                condition=Q(state__in=[*State]), name="state_change_state_known"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["integration", "-occurred_at"], name="state_change_timeline"),
        ]

    def __str__(self) -> str:
        return f"{self.state}, {self.occurred_at:%Y-%m-%d %H:%M}"


class Incident(models.Model):
    """From the moment an integration becomes pending or failed until it is active or disabled.

    `state` and `state_since` repeat the integration's while the incident is open: planning locks
    this row alone, and what it decides from must be under that lock.
    """

    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    integration = models.ForeignKey(
        Integration, models.CASCADE, db_constraint=False, db_index=False
    )
    state = models.TextField(choices=STATE_CHOICES)
    state_since = models.DateTimeField()
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    # The flapping that this incident is part of, named by its beginning; null: none (R23).
    flapping_since = models.DateTimeField(null=True, blank=True)
    next_notice_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "incident"
        constraints: ClassVar = [
            account_key("incident_account_key"),
            SameAccount(field="integration", name="incident_integration_same_account"),
            models.UniqueConstraint(
                fields=["integration"],
                condition=Q(closed_at__isnull=True),
                name="incident_one_open",
            ),
            models.CheckConstraint(
                condition=Q(state__in=sorted(UNHEALTHY)), name="incident_state_unhealthy"
            ),
        ]
        indexes: ClassVar = [
            # alerts.planning.plan_due claims by this hint; rows with nothing due are not in it.
            models.Index(
                fields=["next_notice_at"],
                condition=Q(next_notice_at__isnull=False),
                name="incident_due",
            ),
            models.Index(fields=["integration", "-opened_at"], name="incident_timeline"),
            # integrations.pruning looks for those that closed long ago.
            models.Index(
                fields=["closed_at", "id"],
                condition=Q(closed_at__isnull=False),
                name="incident_closed",
            ),
        ]

    def __str__(self) -> str:
        return f"Incident {self.pk}"
