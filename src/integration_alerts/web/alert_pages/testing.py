"""Sending oneself a test mail: to one's own current address, and to nobody else."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from integration_alerts.alerts.overview import Alert
from integration_alerts.engine import clock, testing_mail
from integration_alerts.rules.eligibility import Obstacle
from integration_alerts.web import flash
from integration_alerts.web.alert_pages import wording
from integration_alerts.web.alert_pages.ending import any_method, find
from integration_alerts.web.viewer import Viewer, alerts_page
from integration_alerts.web.wording import ago


@any_method
@alerts_page
def send_test(request: HttpRequest, viewer: Viewer, alert_id: int) -> HttpResponse:
    """Have a test mail sent, and go back to where the button was."""
    alert = find(viewer, alert_id)
    if request.method == "POST":
        _send(request, viewer, alert)
    if request.POST.get("from") == "list":
        return redirect("alerts", viewer.account.pk)
    return redirect("alert", viewer.account.pk, alert_id)


def _send(request: HttpRequest, viewer: Viewer, alert: Alert) -> None:
    if problem := _problem(viewer, alert):
        flash.refused(request, f"No test was sent: {problem}")
        return
    now = clock.now()
    try:
        free_at = testing_mail.post_to_member(viewer.member, now)
    except ValueError:
        text = "no mail can be written to this address. Change it under Your address."
        flash.refused(request, f"No test was sent: {text}")
        return
    if free_at is not None:
        flash.refused(
            request,
            f"No test was sent: you had {testing_mail.MOST} within an hour. "
            f"The next one can go {ago(free_at, now, viewer.zone)}.",
        )
        return
    flash.done(request, f"A test mail is on its way to {viewer.member.email}.{_but(alert)}")


def _problem(viewer: Viewer, alert: Alert) -> str:
    """What keeps a test from its recipient, and what to do; empty: nothing."""
    address = viewer.member.email
    if alert.member.pk != viewer.member.pk:
        return f"only {alert.member.name} can have one sent to {alert.member.email}."
    if alert.obstacle is Obstacle.NOT_VERIFIED:
        return f"nobody has confirmed that {address} is yours. Change it under Your address."
    if alert.suppression is not None:
        return f"mail to {address} is held back. The page of your alert says why, and what to do."
    return ""


def _but(alert: Alert) -> str:
    """What a test cannot show: that the alert tells nothing although mail arrives."""
    if alert.obstacle is Obstacle.PAUSED:
        return " The test goes although your alert is paused; other mail waits until you resume it."
    if alert.obstacle is not None:
        return f" Other mail does not go: {wording.standing(alert)[1]}."
    return ""
