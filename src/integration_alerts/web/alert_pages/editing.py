"""Editing an alert: its companies, and whether it tells when something is fixed."""

from collections.abc import Callable
from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from integration_alerts.alerts import choosing, subscribing
from integration_alerts.alerts.mailing_again import is_complaint
from integration_alerts.alerts.overview import Alert
from integration_alerts.alerts.subscribing import NotAllowed
from integration_alerts.rules import permissions
from integration_alerts.rules.permissions import Denial
from integration_alerts.web import drafts, flash
from integration_alerts.web.alert_pages import form, wording
from integration_alerts.web.alert_pages.ending import find
from integration_alerts.web.alert_pages.form import CompanyChoices, Typed
from integration_alerts.web.viewer import Viewer, alerts_page

Errors = dict[str, str]


@require_http_methods(["GET", "HEAD", "POST"])
@alerts_page
def edit(request: HttpRequest, viewer: Viewer, alert_id: int) -> HttpResponse:
    """Show an alert; save what is posted without `look`."""
    alert = find(viewer, alert_id)
    typed = _typed(request, alert)
    errors: Errors = {}
    if request.method == "POST" and not typed.look:
        _save(viewer, alert, typed, errors)
        if not errors:
            flash.done(request, f"Saved the alert for {alert.member.name}.")
            return redirect("alerts", viewer.account.pk)
    return render(request, "web/alerts/edit.html", _context(viewer, alert, typed, errors))


def _typed(request: HttpRequest, alert: Alert) -> Typed:
    posted = request.POST if request.method == "POST" else drafts.typed(request)
    if posted is not None:
        return replace(form.read(posted), recipient=alert.member.pk)
    return Typed(
        recipient=alert.member.pk,
        scope="all" if alert.scope.covers_all else "chosen",
        chosen=frozenset(company.pk for company in alert.seen),
        tells_recovery=alert.subscription.tells_recovery,
    )


def _save(viewer: Viewer, alert: Alert, typed: Typed, errors: Errors) -> None:
    rows = choosing.companies(viewer.person, alert.recipient, alert.scope)
    if problem := form.problem(typed, rows):
        errors[form.COMPANIES] = problem
        return
    # "All companies" that stay as they are need nobody's leave: not every actor may give them.
    if not (typed.wanted.covers_all and alert.scope.covers_all):
        _try(
            errors,
            lambda: subscribing.change_scope(alert.subscription, typed.wanted, actor=viewer.member),
        )
    changed = typed.tells_recovery != alert.subscription.tells_recovery
    if not errors and changed and alert.keeps is None:
        _try(
            errors,
            lambda: subscribing.set_recovery(
                alert.subscription, tells_recovery=typed.tells_recovery, actor=viewer.member
            ),
        )


def _try(errors: Errors, act: Callable[[], object]) -> None:
    try:
        act()
    except NotAllowed as error:
        errors[form.field_of(error.denial)] = str(error)


def _context(viewer: Viewer, alert: Alert, typed: Typed, errors: Errors) -> dict[str, object]:
    may_choose_all = permissions.may_choose_all(viewer.person, alert.recipient)
    rows = choosing.companies(viewer.person, alert.recipient, alert.scope)
    standing, why = wording.standing(alert)
    subscription = alert.subscription
    resumable = permissions.may_resume(
        viewer.person, alert.recipient, alert.scope,
        unsubscribed_by_link=subscription.unsubscribed_by_link,
    )  # fmt: skip
    suppression = alert.suppression
    return {
        "menu": "alerts",
        "alert": alert,
        "own": alert.member.pk == viewer.member.pk,
        "typed": typed,
        "companies": CompanyChoices(rows, typed, may_choose_all or alert.scope.covers_all),
        "narrows_only": alert.scope.covers_all and not may_choose_all,
        "keeps_all": alert.keeps is Denial.COVERS_MORE and alert.scope.covers_all,
        "errors": errors,
        "standing": standing,
        "why": why,
        "origin": wording.origin(alert),
        "scope": wording.ended(alert),
        "cannot_resume": resumable,
        "cannot_mail_again": suppression
        and permissions.may_mail_again(
            viewer.person, alert.recipient, alert.scope, complained=is_complaint(suppression)
        ),
        "next_step": "resume" if subscription.paused_at else "pause",
    }
