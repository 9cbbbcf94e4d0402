"""What happened: integrations and their story, alerts, notices, and every mail with its fate."""

from email import message_from_bytes
from email.policy import default
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integration_alerts.alerts.models import Notice, Subscription
from integration_alerts.directory.models import Member
from integration_alerts.integrations.models import Incident, Integration, StateChange
from integration_alerts.mail.models import DeliveryAttempt, Email, EmailNotice
from integration_alerts.web.back_office.people import MEMBER_COLUMNS
from integration_alerts.web.back_office.showing import Page, Rows, first_names, linked, listed
from integration_alerts.web.back_office.site import site

_INTEGRATION_COLUMNS = ("external_id",)
_INTEGRATION = (Integration, _INTEGRATION_COLUMNS)
_BY_INTEGRATION = "The number, or the beginning of an integration's id"
_BY_MEMBER = "The number, or the beginning of a member's id, address or name"


@admin.register(Integration, site=site)
class IntegrationPage(Page):
    """The integrations."""

    found_by = _INTEGRATION_COLUMNS
    part_of = ("account", "company")
    list_display = ("__str__", "external_id", "state", "state_since", "company", "account")
    list_select_related = ("account", "company")
    fields = (
        "account", "company", "external_id", "name", "provider", "connection", "fix_url", "state",
        "state_since", "reported_at", "reason_code", "reason_message", "deleted_at", "story",
    )  # fmt: skip
    readonly_fields = ("story",)
    search_help_text = "The beginning of an id or a name"

    @admin.display(description="Its story")
    def story(self, integration: Integration) -> SafeString:
        """Links to what happened to it."""
        return listed([StateChange, Incident], "integration", integration.pk)


@admin.register(Incident, site=site)
class IncidentPage(Page):
    """The incidents."""

    found_through: ClassVar = {"integration": _INTEGRATION}
    part_of = ("integration",)
    list_display = ("id", "integration", "state", "state_since", "opened_at", "closed_at")
    list_select_related = ("integration",)
    fields = (*list_display[1:], "next_notice_at", "account", "notices")
    readonly_fields = ("notices",)
    search_help_text = _BY_INTEGRATION

    @admin.display(description="What was told")
    def notices(self, incident: Incident) -> SafeString:
        """A link to its notices."""
        return listed([Notice], "incident", incident.pk)


@admin.register(StateChange, site=site)
class StateChangePage(Page):
    """The reports that changed a state, or came too late to."""

    found_through: ClassVar = {"integration": _INTEGRATION}
    part_of = ("integration",)
    list_display = ("id", "integration", "state", "occurred_at", "received_at", "stale", "actor")
    list_select_related = ("integration",)
    fields = (*list_display[1:], "reason_code", "reason_message", "event_id", "account")
    search_help_text = _BY_INTEGRATION


@admin.register(Subscription, site=site)
class SubscriptionPage(Page):
    """The members' integration alerts."""

    found_through: ClassVar = {"member": (Member, MEMBER_COLUMNS)}
    part_of = ("account", "member")
    list_display = ("id", "member", "account", "covers_all", "origin", "created_at", "paused_at")
    list_select_related = ("account", "member")
    fields = (
        *list_display[1:], "created_by", "unsubscribed_by_link", "tells_recovery", "chosen",
    )  # fmt: skip
    readonly_fields = ("chosen",)
    search_help_text = _BY_MEMBER

    @admin.display(description="Chosen companies")
    def chosen(self, subscription: Subscription) -> str:
        """The companies, or the first of them."""
        return first_names(subscription.companies.order_by("name", "id"))


class _Mails(Rows):
    """The mails that carry a notice."""

    model = EmailNotice
    fields = readonly_fields = ("mail", "status", "to", "released")
    verbose_name_plural = "mails"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what each row shows."""
        return super().get_queryset(request).select_related("email", "member")

    def mail(self, item: EmailNotice) -> SafeString | str:
        """A link to the mail."""
        return linked(item.email, item.email.subject or "not written yet")

    def status(self, item: EmailNotice) -> str:
        """Where the mail stands."""
        return item.email.status

    def to(self, item: EmailNotice) -> SafeString | str:
        """A link to the recipient."""
        return linked(item.member)


@admin.register(Notice, site=site)
class NoticePage(Page):
    """What must be told."""

    part_of = ("incident",)
    list_display = ("id", "integration", "state", "step", "status", "due_at")
    list_select_related = ("incident__integration",)
    fields = ("account", "incident_", *list_display[1:], "state_since", "planned_at")
    readonly_fields = ("incident_", "integration")
    inlines = (_Mails,)
    search_help_text = "The number; those of an integration are reached from it"

    @admin.display(description="Incident")
    def incident_(self, notice: Notice) -> SafeString | str:
        """A link to the incident."""
        return linked(notice.incident, f"Incident {notice.incident_id}")

    def integration(self, notice: Notice) -> SafeString | str:
        """A link to the integration."""
        return linked(notice.incident.integration)


class _Attempts(Rows):
    """The delivery attempts of an email."""

    model = DeliveryAttempt
    fields = ("started_at", "finished_at", "address", "phase", "code", "answer")
    ordering = ("id",)
    verbose_name_plural = "delivery attempts"


class _Notices(Rows):
    """The notices in an email."""

    model = EmailNotice
    fields = readonly_fields = ("notice_", "integration", "released")
    verbose_name_plural = "notices"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what each row shows."""
        return super().get_queryset(request).select_related("notice__incident__integration")

    @admin.display(description="Notice")
    def notice_(self, item: EmailNotice) -> SafeString | str:
        """A link to the notice."""
        return linked(item.notice, f"{item.notice.state}, {item.notice.step}")

    def integration(self, item: EmailNotice) -> SafeString | str:
        """A link to the integration."""
        return linked(item.notice.incident.integration)


@admin.register(Email, site=site)
class EmailPage(Page):
    """The outbox: every mail, its attempts and its notices; its text, never its source."""

    found_exactly = ("message_id",)
    found_through: ClassVar = {"member": (Member, MEMBER_COLUMNS)}
    part_of = ("account", "member")
    list_display = ("id", "subject", "member", "status", "date", "outcome_reason")
    list_select_related = ("member",)
    fields = (
        "account", "member", "address", "subject", "text", "status", "outcome_reason", "date",
        "ended_at", "attempts", "first_attempt_at", "next_attempt_at", "message_id",
    )  # fmt: skip
    readonly_fields = ("text",)
    inlines = (_Attempts, _Notices)
    search_help_text = f"{_BY_MEMBER}, or a whole Message-ID"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Email]:
        """Without the bytes, which only the one page reads."""
        return super().get_queryset(request).defer("message")

    def text(self, email: Email) -> SafeString | str:
        """What the recipient reads."""
        if email.message is None:
            if email.ended_at and email.address:
                return "It is not kept any more."
            return "It is written when it is first sent."
        part = message_from_bytes(bytes(email.message), policy=default).get_body(("plain",))
        return format_html('<pre tabindex="0">{}</pre>', "" if part is None else part.get_content())
