"""Who there is: accounts, their companies and members, and the keys of the API.

The platform's own ids are `external_id`; they are unique within their account (SPEC section 4).
"""

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models import Q

from integration_alerts.directory.finding import folded
from integration_alerts.directory.tenancy import SameAccount, account_key
from integration_alerts.rules.eligibility import Role
from integration_alerts.rules.suppression import BounceKind


class Account(models.Model):
    """The tenant; nothing ever crosses it."""

    external_id = models.TextField(unique=True)
    name = models.TextField()
    time_zone = models.TextField(default="UTC")  # an IANA name; times in mails are shown in it
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    # Seconds (R22): how long the first notice waits for others, and how far apart mails are.
    group_wait = models.PositiveIntegerField(default=30, db_default=30)
    group_interval = models.PositiveIntegerField(default=300, db_default=300)
    # How mails look: the platform's brand. Empty: ours.
    brand_name = models.TextField(default="", db_default="")
    logo_url = models.TextField(default="", db_default="")
    brand_colour = models.TextField(default="", db_default="")  # #rrggbb
    reply_to = models.TextField(default="", db_default="")

    class Meta:
        db_table = "account"

    def __str__(self) -> str:
        return self.name


class Company(models.Model):
    """Belongs to an account; has integrations."""

    account = models.ForeignKey(Account, models.PROTECT)
    external_id = models.TextField()
    name = models.TextField()
    active = models.BooleanField(default=True)

    class Meta:
        db_table = "company"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "external_id"], name="company_external_id"),
            account_key("company_account_key"),
        ]
        indexes: ClassVar = [
            # directory.finding, for operators: over all accounts, by how it begins.
            models.Index(folded("external_id"), name="company_external_id_begins"),
            models.Index(folded("name"), name="company_name_begins"),
        ]
        verbose_name_plural = "companies"

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """A user in one account, with a role and, unless Administrator, assigned companies.

    `email` is the current address (R13); no other table keeps a copy that mail is sent to.
    """

    account = models.ForeignKey(Account, models.PROTECT)
    external_id = models.TextField()
    email = models.TextField()
    email_verified = models.BooleanField(default=True)
    # What the platform sent last: sent once more, it does not undo what the user changed since.
    platform_email = models.TextField(default="", db_default="")
    name = models.TextField()
    role = models.TextField(choices=[(role.value, role.name.title()) for role in Role])
    active = models.BooleanField(default=True)
    companies = models.ManyToManyField(Company, through="Assignment", related_name="members")
    # Who acts as this member on the pages; null until an invitation was accepted.
    user = models.ForeignKey("User", models.SET_NULL, null=True, blank=True, related_name="members")
    invited_at = models.DateTimeField(null=True, blank=True)  # the latest invitation

    class Meta:
        db_table = "member"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["account", "external_id"], name="member_external_id"),
            account_key("member_account_key"),
            models.UniqueConstraint(fields=["account", "user"], name="member_one_per_user"),
            models.CheckConstraint(condition=Q(role__in=[*Role]), name="member_role_known"),
        ]
        indexes: ClassVar = [
            # directory.finding, for operators: over all accounts, by how it begins; and
            # directory.invitations, which asks who has an address.
            models.Index(folded("external_id"), name="member_external_id_begins"),
            models.Index(folded("email"), name="member_email_begins"),
            models.Index(folded("name"), name="member_name_begins"),
            # alerts.recipients asks for an account's administrators with every notice.
            models.Index(
                fields=["account"],
                condition=Q(role=Role.ADMINISTRATOR.value),
                name="member_administrators",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


class Assignment(models.Model):
    """A company that a Manager or Reporting user is assigned to."""

    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    member = models.ForeignKey(Member, models.CASCADE, db_constraint=False)
    company = models.ForeignKey(Company, models.CASCADE, db_constraint=False)

    class Meta:
        db_table = "assignment"
        constraints: ClassVar = [
            # Led by the company: alerts.recipients asks who is assigned to it.
            models.UniqueConstraint(fields=["company", "member"], name="assignment_once"),
            SameAccount(field="member", name="assignment_member_same_account"),
            SameAccount(field="company", name="assignment_company_same_account"),
        ]


class Suppression(models.Model):
    """An address of a member that mail is held back from, until somebody lifts it.

    It speaks of this address only: a member with a new one gets mail again.
    """

    account = models.ForeignKey(Account, models.PROTECT, db_constraint=False, db_index=False)
    member = models.ForeignKey(Member, models.CASCADE, db_constraint=False, db_index=False)
    address = models.TextField()
    kind = models.TextField(choices=[(kind.value, kind.value) for kind in BounceKind])
    reason = models.TextField(default="")  # in plain words
    since = models.DateTimeField()
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(
        Member, models.SET_NULL, null=True, blank=True, related_name="+", db_constraint=False
    )

    class Meta:
        db_table = "suppression"
        constraints: ClassVar = [
            # Also what alerts.recipients asks for each member that may be told.
            models.UniqueConstraint(
                fields=["member", "address"],
                condition=Q(lifted_at__isnull=True),
                name="suppression_once",
            ),
            SameAccount(field="member", name="suppression_member_same_account"),
            models.CheckConstraint(
                condition=Q(kind__in=[*BounceKind]), name="suppression_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.address}: {self.kind}"


class ApiKey(models.Model):
    """A bearer key of the API. Only a digest is stored; without an account, a platform key."""

    account = models.ForeignKey(Account, models.PROTECT, null=True, blank=True)
    name = models.TextField()
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "api_key"
        verbose_name = "API key"

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Makes sign-in users; an e-mail address is the user name."""

    def create_operator(self, email: str, password: str) -> "User":
        """An operator: may open the inbox and the back office. Raises IntegrityError if taken."""
        user = self.model(email=email.lower(), is_staff=True, is_superuser=True)
        user.set_password(password)
        user.save(using=self._db)
        # Whoever makes operators vouches for their address.
        from integration_alerts.directory.sign_in_addresses import prove

        prove(user, email)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """Somebody who signs in on the pages. Which accounts they act in is a matter of `Member`."""

    email = models.EmailField(unique=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[Any] = UserManager()

    class Meta:
        db_table = "sign_in_user"
        verbose_name = "sign-in user"

    def __str__(self) -> str:
        return self.email
