"""What came back: bounces and complaints, one of a kind for each email."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from integration_alerts.directory.models import Account, Member
from integration_alerts.directory.tenancy import SameAccount
from integration_alerts.mail.models.outbox import Email
from integration_alerts.rules.suppression import BounceKind


class Bounce(models.Model):
    """One report that an email came back. A repeated one finds its row and changes nothing."""

    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    email = models.ForeignKey(Email, models.CASCADE, db_constraint=False, db_index=False)
    member = models.ForeignKey(Member, models.PROTECT, db_constraint=False, db_index=False)
    address = models.TextField()  # where the email had gone
    kind = models.TextField(choices=[(kind.value, kind.value) for kind in BounceKind])
    status = models.TextField(default="")  # the enhanced status code, such as 5.1.1
    diagnostic = models.TextField(default="")  # the server's words, one line
    source = models.TextField()  # `dsn`, or the ESP whose webhook told
    received_at = models.DateTimeField()

    class Meta:
        db_table = "bounce"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["email", "kind"], name="bounce_once"),
            SameAccount(field="email", name="bounce_email_same_account"),
            SameAccount(field="member", name="bounce_member_same_account"),
            models.CheckConstraint(condition=Q(kind__in=[*BounceKind]), name="bounce_kind_known"),
        ]
        indexes: ClassVar = [
            # mail.bounces counts the soft ones of the last days.
            models.Index(fields=["member", "address", "-received_at"], name="bounce_of_member"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}, {self.address}"
