"""Who there is: accounts, companies, members, sign-in users, and the keys of the API."""

from typing import ClassVar, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integration_alerts.alerts.models import Subscription
from integration_alerts.directory.access import let_in, shut_out
from integration_alerts.directory.keys import revoke_keys
from integration_alerts.directory.models import Account, ApiKey, Company, Member, User
from integration_alerts.engine import clock
from integration_alerts.engine.inviting import invite
from integration_alerts.integrations.models import Integration
from integration_alerts.mail.models import Email
from integration_alerts.web.back_office.showing import Page, first_names, listed
from integration_alerts.web.back_office.site import site
from integration_alerts.web.wording import count

MEMBER_COLUMNS = ("external_id", "email", "name")


@admin.register(Account, site=site)
class AccountPage(Page):
    """The tenants."""

    found_by = ("external_id", "name")
    list_display = ("name", "external_id", "time_zone", "active", "created_at")
    fields = (*list_display, "what_it_has")
    readonly_fields = ("what_it_has",)
    search_help_text = "The beginning of an id or a name"

    @admin.display(description="What it has")
    def what_it_has(self, account: Account) -> SafeString:
        """Links to everything in the account."""
        parts = (Company, Member, Integration, Subscription, Email, ApiKey)
        return format_html(
            '{}, <a href="{}">How its mails look</a>',
            listed(parts, "account", account.pk),
            reverse("operator_mails", args=[account.pk]),
        )


@admin.register(Company, site=site)
class CompanyPage(Page):
    """The companies."""

    found_by = ("external_id", "name")
    part_of = ("account",)
    list_display = ("name", "external_id", "account", "active")
    list_select_related = ("account",)
    fields = (*list_display, "what_it_has", "assigned")
    readonly_fields = ("what_it_has", "assigned")
    search_help_text = "The beginning of an id or a name"

    @admin.display(description="What it has")
    def what_it_has(self, company: Company) -> SafeString:
        """A link to its integrations."""
        return listed([Integration], "company", company.pk)

    @admin.display(description="Assigned members")
    def assigned(self, company: Company) -> str:
        """The members, or the first of them."""
        return first_names(company.members.order_by("name", "id"))


@admin.register(Member, site=site)
class MemberPage(Page):
    """Users of the platform in their accounts."""

    found_by = MEMBER_COLUMNS
    part_of = ("account", "user")
    list_display = ("name", "email", "external_id", "role", "account", "active", "user")
    list_select_related = ("account", "user")
    fields = (
        "account", "external_id", "name", "email", "email_verified", "role", "active", "user",
        "assigned_companies", "what_they_have",
    )  # fmt: skip
    readonly_fields = ("assigned_companies", "what_they_have")
    search_help_text = "The beginning of an id, an address or a name"
    actions = ("send_invitation",)

    @admin.display(description="Companies")
    def assigned_companies(self, member: Member) -> str:
        """The companies, or the first of them."""
        return first_names(member.companies.order_by("name", "id"))

    @admin.display(description="What they have")
    def what_they_have(self, member: Member) -> SafeString:
        """Links to their alert and their mail."""
        return listed([Subscription, Email], "member", member.pk)

    @admin.action(description="Send an invitation to sign in", permissions=["operate"])
    def send_invitation(self, request: HttpRequest, members: QuerySet[Member]) -> None:
        """Invite those who cannot sign in yet."""
        invited = invite(members.filter(user=None, active=True), clock.now())
        self.message_user(request, f"{count(invited, 'invitation')} sent.")


@admin.register(ApiKey, site=site)
class ApiKeyPage(Page):
    """The keys of the API; never the digest."""

    found_by = ()
    found_through: ClassVar = {"account": (Account, ("external_id", "name"))}
    part_of = ("account",)
    list_display = ("name", "account", "created_at", "revoked_at")
    list_select_related = ("account",)
    fields = list_display
    search_help_text = "The beginning of an account's id or name"
    actions = ("revoke",)

    @admin.action(description="Revoke: their programs are locked out", permissions=["operate"])
    def revoke(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        """Revoke what is not revoked yet."""
        chosen = list(keys.filter(revoked_at=None))
        revoke_keys(chosen, clock.now())
        for key in chosen:
            self.log_change(request, key, "Revoked.")
        self.message_user(request, f"{count(len(chosen), 'key')} revoked.")


@admin.register(User, site=site)
class UserPage(Page):
    """Who signs in; never the password's hash."""

    found_by = ("email",)
    list_display = ("email", "is_active", "is_staff", "last_login")
    fields = (*list_display, "members")
    readonly_fields = ("members",)
    search_help_text = "The beginning of an address"
    actions = ("deactivate", "reactivate")

    @admin.display(description="Acts as")
    def members(self, user: User) -> SafeString:
        """A link to the members that the user acts as."""
        return listed([Member], "user", user.pk)

    @admin.action(description="Deactivate: they are signed out", permissions=["operate"])
    def deactivate(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Keep the chosen ones out, but never whoever is asking."""
        asking = cast("User", request.user)
        chosen = list(users.filter(is_active=True).exclude(pk=asking.pk))
        shut_out(chosen)
        self._say(request, chosen, "deactivated")
        if users.filter(pk=asking.pk).exists():
            text = "You stay active: another operator has to do that."
            self.message_user(request, text, messages.WARNING)

    @admin.action(description="Reactivate: they may sign in again", permissions=["operate"])
    def reactivate(self, request: HttpRequest, users: QuerySet[User]) -> None:
        """Let the chosen ones in again."""
        chosen = list(users.filter(is_active=False))
        let_in(chosen)
        self._say(request, chosen, "reactivated")

    def _say(self, request: HttpRequest, users: list[User], done: str) -> None:
        for user in users:
            self.log_change(request, user, f"{done.capitalize()}.")
        self.message_user(request, f"{count(len(users), 'user')} {done}.")
