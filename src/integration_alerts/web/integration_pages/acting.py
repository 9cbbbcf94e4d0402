"""Changing the state of an integration by hand: activate, reset to active, disable.

It is a status report like any other, with the member as its actor (SPEC R17).
"""

from uuid import UUID, uuid4

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from integration_alerts.alerts.models import Origin, Subscription
from integration_alerts.engine import clock
from integration_alerts.engine.intake import record_reports
from integration_alerts.integrations.models import Integration
from integration_alerts.integrations.reports import Report
from integration_alerts.rules.permissions import earns_subscription, may_change_state
from integration_alerts.rules.states import UNHEALTHY, Result, State
from integration_alerts.web import drafts, flash
from integration_alerts.web.integration_pages.telling import actions, find
from integration_alerts.web.viewer import Viewer, account_page

_TARGETS = (State.ACTIVE.value, State.DISABLED.value)


@require_http_methods(["GET", "HEAD", "POST"])
@account_page
def change_state(request: HttpRequest, viewer: Viewer, integration_id: int) -> HttpResponse:
    """Say what will happen (GET), and do it (POST)."""
    integration = find(viewer, integration_id)
    if not may_change_state(viewer.person, integration.company_id):
        raise PermissionDenied("Reporting users see integrations and cannot change them.")
    typed = drafts.typed(request) or (request.POST if request.method == "POST" else request.GET)
    to = typed.get("to", "")
    if to not in _TARGETS:
        return redirect("integration", viewer.account.pk, integration.pk)
    if not integration.company.active:
        _refuse_switched_off(request, integration)
        return redirect("integration", viewer.account.pk, integration.pk)
    event = _uuid(typed.get("event", ""))
    if request.method == "POST" and event is not None:
        return _report(request, viewer, integration, State(to), event)
    context = {
        "integration": integration,
        "to": to,
        "event": event or uuid4(),
        "button": dict(actions(integration)).get(to, ""),
        "ends_mail": integration.state in UNHEALTHY,
        "earns": to == State.ACTIVE
        and earns_subscription(viewer.role)
        and not Subscription.objects.filter(member=viewer.member).exists(),
    }
    return render(request, "web/integrations/state.html", context)


def _report(
    request: HttpRequest, viewer: Viewer, integration: Integration, state: State, event: UUID
) -> HttpResponse:
    now = clock.now()
    report = Report(
        id=f"page-{event}",
        account=viewer.account.external_id,
        company=integration.company.external_id,
        integration=integration.external_id,
        state=state,
        occurred_at=now,
        actor=viewer.member.external_id,
    )
    (outcome,) = record_reports([report], now).outcomes
    match outcome.result:
        case Result.APPLIED:
            flash.done(request, f"{integration} is {state}.")
            made = Subscription.objects.filter(
                member=viewer.member, origin=Origin.AUTOMATIC.value, created_at=now
            ).first()
            if made is not None:
                flash.done(
                    request,
                    "You now have an integration alert for all your companies.",
                    undo=reverse("alert_delete", args=[viewer.account.pk, made.pk]),
                )
        case Result.UNCHANGED:
            flash.done(request, f"{integration} was {state} already.")
        case Result.DUPLICATE:
            pass  # the first click has said what was done
        case Result.STALE:
            flash.refused(
                request,
                f"{integration} was not changed: the platform has reported a later state. "
                "Look at the state below, and do it again in a few minutes if it is still needed.",
            )
        case Result.REJECTED:
            _refuse_switched_off(request, integration)
    return redirect("integration", viewer.account.pk, integration.pk)


def _refuse_switched_off(request: HttpRequest, integration: Integration) -> None:
    flash.refused(
        request,
        f"{integration} was not changed: its company is switched off. "
        "It can be changed once the platform has switched the company on again.",
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
