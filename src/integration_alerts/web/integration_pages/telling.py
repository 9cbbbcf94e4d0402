"""One integration: how it stands, who is told, what comes next, and its story."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from integration_alerts.alerts.outlook import Outlook, Prospect, outlook
from integration_alerts.alerts.recipients import recipients, verdicts
from integration_alerts.directory.ids import LARGEST_ID
from integration_alerts.directory.models import Member
from integration_alerts.engine import clock
from integration_alerts.integrations import story
from integration_alerts.integrations.models import Integration
from integration_alerts.rules import bar
from integration_alerts.rules.eligibility import Obstacle, Role
from integration_alerts.rules.flapping import QUIET, Openings, is_flapping
from integration_alerts.rules.permissions import may_change_state
from integration_alerts.rules.states import State
from integration_alerts.web.integration_pages import told, wording
from integration_alerts.web.integration_pages.bar import DAY, HEIGHT, cells
from integration_alerts.web.integration_pages.timeline import read_place, timeline
from integration_alerts.web.replica import from_replica
from integration_alerts.web.viewer import Viewer, account_page
from integration_alerts.web.wording import count

_FIXES = {State.FAILED: "Reconnect", State.PENDING: "Finish the set-up"}


@dataclass(frozen=True, slots=True)
class Insider:
    """A member with access to the company, whose alert the viewer may see."""

    name: str
    address: str
    obstacle: Obstacle | None


@dataclass(frozen=True, slots=True)
class Audience:
    """Who will be told, who will not and why, and how many whom the viewer may not know."""

    told: list[Insider]
    not_told: list[Insider]
    others: int

    @property
    def nobody(self) -> bool:
        """Whether nobody at all would be told."""
        return not self.told and not self.others


@require_safe
@account_page
@from_replica
def integration(request: HttpRequest, viewer: Viewer, integration_id: int) -> HttpResponse:
    """The page of one integration."""
    found = find(viewer, integration_id)
    now = clock.now()
    incident = story.open_incident(found)
    state = State(found.state) if found.state else None
    next_ = outlook(found, incident, now)
    context = {
        "integration": found,
        "reason": wording.reason(found.state, found.reason_code, found.reason_message),
        "fix": _FIXES.get(state) if state and found.fix_url else None,
        "audience": _audience(viewer, found),
        "flapping_until": _flapping_until(found, now),
        "outlook": next_,
        "outlook_words": _outlook_words(found, next_),
        "bar": _bar(found, now),
        "timeline": timeline(viewer, found, read_place(request.GET.get("before", "")), now),
        "newest": "before" not in request.GET,
        "actions": actions(found) if may_change_state(viewer.person, found.company_id) else [],
    }
    return render(request, "web/integrations/integration.html", context)


def find(viewer: Viewer, integration_id: int) -> Integration:
    """An integration that the viewer may see; to all others it does not exist (404)."""
    found = story.find(viewer.account.pk, viewer.company_ids, min(integration_id, LARGEST_ID))
    if found is None:
        raise Http404
    return found


def actions(integration: Integration) -> list[tuple[str, str]]:
    """What can be done about its state: (state, the words of the button)."""
    if not integration.company.active:
        return []
    disable = (State.DISABLED.value, "Disable")
    match integration.state:
        case State.FAILED | State.PENDING:
            return [(State.ACTIVE.value, "Reset to active"), disable]
        case State.ACTIVE:
            return [disable]
        case State.DISABLED:
            return [(State.ACTIVE.value, "Activate")]
        case _:
            return [(State.ACTIVE.value, "Activate"), disable]


def _flapping_until(integration: Integration, now: datetime) -> datetime | None:
    """When alerts come again if nothing breaks until then; None: it is not flapping (R23)."""
    last = integration.last_opened_at
    openings = Openings(last, integration.earlier_opened_at, integration.flapping_since)
    return last + QUIET if last is not None and is_flapping(openings, now) else None


def _audience(viewer: Viewer, integration: Integration) -> Audience:
    company = integration.company_id
    all_told = {each.member_id for each in recipients([company])[company]}
    if not viewer.manages_alerts:
        return Audience([], [], len(all_told))
    insiders = Member.objects.filter(
        Q(assignment__company=company) | Q(role=Role.ADMINISTRATOR.value),
        Q(subscription__isnull=False) | Q(active=True, role__in=_MANAGING),
        account=viewer.account,
    ).distinct()
    members = list(insiders.order_by("name", "pk"))
    seen = told.reachable(viewer, members)
    judged = verdicts([(each.pk, company) for each in members if each.pk in seen])
    listed = [
        (each.pk, Insider(_name(viewer, each), each.email, judged[each.pk, company].obstacle))
        for each in members
        if each.pk in seen
    ]
    return Audience(
        [insider for pk, insider in listed if insider.obstacle is None],
        [insider for pk, insider in listed if insider.obstacle is not None],
        len(all_told - {pk for pk, _ in listed}),
    )


def _name(viewer: Viewer, member: Member) -> str:
    return "You" if member.pk == viewer.member.pk else member.name


def _outlook_words(integration: Integration, next_: Outlook) -> str:
    match next_.prospect:
        case Prospect.NOW:
            return "A mail about this is being prepared now."
        case Prospect.OVER:
            return (
                "Nothing more: the last reminder has been due. It stays listed until it is fixed."
            )
        case Prospect.LATER if next_.step:
            return f"{wording.STEPS[next_.step]}, if nothing changes"
        case _:
            pass
    if not integration.company.active:
        return f"Nothing: {integration.company.name} is switched off."
    match integration.state:
        case State.ACTIVE:
            return "Nothing: it works."
        case State.DISABLED:
            return "Nothing: it is disabled."
        case _:
            return "Nothing: no report came in yet."


def _bar(integration: Integration, now: datetime) -> dict[str, Any]:
    begin = now - timedelta(days=bar.DAYS)
    spans = bar.spans(story.states(integration, begin), begin, now)
    return {
        "cells": cells(bar.days(spans, now)),
        "width": bar.DAYS * DAY,
        "height": HEIGHT,
        "totals": [
            (
                total.state.value if total.state else None,
                wording.lasted(total.duration),
                count(total.times, "time"),
            )
            for total in bar.totals(spans)
        ],
    }


_MANAGING = [Role.ADMINISTRATOR.value, Role.MANAGER.value]
