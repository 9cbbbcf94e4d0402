"""Pausing, resuming and deleting an alert, taking a deletion back, and mailing again."""

from collections.abc import Callable
from functools import partial

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from integration_alerts.alerts import subscribing
from integration_alerts.alerts.mailing_again import mail_again
from integration_alerts.alerts.models import Subscription
from integration_alerts.alerts.overview import Alert, visible_alert
from integration_alerts.alerts.subscribing import NotAllowed, SubscribingError
from integration_alerts.engine import clock
from integration_alerts.web import flash
from integration_alerts.web.alert_pages import undoing, wording
from integration_alerts.web.viewer import Viewer, alerts_page

any_method = require_http_methods(["GET", "HEAD", "POST"])


@any_method
@alerts_page
def pause(request: HttpRequest, viewer: Viewer, alert_id: int) -> HttpResponse:
    """Stop the mails until somebody resumes."""
    alert = find(viewer, alert_id)
    if request.method == "POST":
        act = partial(subscribing.pause, alert.subscription, clock.now(), actor=viewer.member)
        said = f"Paused. {wording.whom(viewer, alert)} will get no mail until it is resumed."
        _change(request, act, said)
    return redirect("alert", viewer.account.pk, alert_id)


@any_method
@alerts_page
def resume(request: HttpRequest, viewer: Viewer, alert_id: int) -> HttpResponse:
    """Let the mails go out again."""
    alert = find(viewer, alert_id)
    if request.method == "POST":
        act = partial(subscribing.resume, alert.subscription, actor=viewer.member)
        _change(request, act, f"Resumed. {wording.whom(viewer, alert)} will get mail again.")
    return redirect("alert", viewer.account.pk, alert_id)


@any_method
@alerts_page
def mail_to_address_again(request: HttpRequest, viewer: Viewer, alert_id: int) -> HttpResponse:
    """Send mail again to an address that it came back from."""
    alert = find(viewer, alert_id)
    if request.method == "POST" and alert.suppression is not None:
        act = partial(
            mail_again, alert.subscription, alert.suppression, clock.now(), actor=viewer.member
        )
        _change(request, act, f"Mail to {alert.member.email} goes out again.")
    return redirect("alert", viewer.account.pk, alert_id)


@any_method
@alerts_page
def delete(request: HttpRequest, viewer: Viewer, alert_id: int) -> HttpResponse:
    """Ask, then delete; the list that follows offers to take it back."""
    alerts = redirect("alerts", viewer.account.pk)
    alert = visible_alert(viewer.person, alert_id)
    if alert is None:
        if undoing.was_deleted(request, viewer.account.pk, alert_id):
            flash.refused(request, "This alert was deleted already.")
            return alerts
        raise Http404
    if request.method != "POST":
        context = {"alert": alert, "scope": wording.ended(alert), "menu": "alerts"}
        return render(request, "web/alerts/delete.html", context)
    try:
        deleted = subscribing.delete(alert.subscription, actor=viewer.member)
    except NotAllowed as error:
        flash.refused(request, str(error))
    except Subscription.DoesNotExist:  # another person was quicker
        flash.refused(request, "This alert was deleted already.")
    else:
        key = undoing.keep(request, alert_id, deleted, clock.now())
        flash.done(
            request,
            f"{wording.whom(viewer, alert)} will no longer get mail about {wording.ended(alert)}.",
            undo=reverse("alert_undo", args=[viewer.account.pk, key]),
        )
    return alerts


@any_method
@alerts_page
def undo(request: HttpRequest, viewer: Viewer, key: str) -> HttpResponse:
    """Take a deletion back."""
    target = reverse("alerts", args=[viewer.account.pk])
    if request.method != "POST":
        return redirect(target)
    deleted = undoing.take(request, viewer.account.pk, key, clock.now())
    if deleted is None:
        flash.refused(request, "This can no longer be undone. Create the alert again.")
        return redirect(target)
    try:
        restored = subscribing.restore(deleted, actor=viewer.member)
    except SubscribingError as error:
        flash.refused(request, f"This cannot be undone. {error}")
        return redirect(target)
    flash.done(request, f"The alert for {deleted.member.name} is back, as it was.")
    return redirect(f"{target}?new={restored.pk}#alert-{restored.pk}")


def find(viewer: Viewer, alert_id: int) -> Alert:
    """An alert that the viewer may see; to them, others do not exist (404)."""
    alert = visible_alert(viewer.person, alert_id)
    if alert is None:
        raise Http404
    return alert


def _change(request: HttpRequest, act: Callable[[], object], said: str) -> None:
    try:
        act()
    except NotAllowed as error:
        flash.refused(request, str(error))
    except Subscription.DoesNotExist:
        raise Http404 from None
    else:
        flash.done(request, said)
