"""The notifications page, and the list of the alerts that the viewer may see."""

from dataclasses import dataclass

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from integration_alerts.alerts.overview import Alert, own_alert, visible_alerts
from integration_alerts.directory.models import Suppression
from integration_alerts.mail.history import LatestMail, latest_mails
from integration_alerts.rules import permissions
from integration_alerts.rules.eligibility import Obstacle
from integration_alerts.web.alert_pages import wording
from integration_alerts.web.replica import from_replica
from integration_alerts.web.viewer import Viewer, alerts_page

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Row:
    """An alert as the list shows it."""

    alert: Alert
    own: bool
    companies: str
    scope: str
    ended: str
    origin: str
    standing: str
    why: str
    suppression: Suppression | None
    mail: LatestMail | None
    mail_is_readable: bool


@require_safe
@alerts_page
@from_replica
def notifications(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """What the viewer is told at present, and the way to the alerts."""
    alert = own_alert(viewer.person)
    context = {"row": None if alert is None else _row(viewer, alert, None)}
    return render(request, "web/alerts/notifications.html", context)


@require_safe
@alerts_page
@from_replica
def alerts(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Every alert that the viewer may see; the one just made is marked."""
    text = request.GET.get("q", "").strip()
    found = [
        alert
        for alert in visible_alerts(viewer.person)
        if text.casefold() in f"{alert.member.name} {alert.member.email}".casefold()
    ]
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    mails = latest_mails([alert.member.pk for alert in page])
    context = {
        "menu": "alerts",
        "rows": [_row(viewer, alert, mails.get(alert.member.pk)) for alert in page],
        "page": page,
        "q": text,
        "new": request.GET.get("new", ""),
        "searchable": text or len(found) > PAGE_SIZE,
    }
    return render(request, "web/alerts/list.html", context)


def _row(viewer: Viewer, alert: Alert, mail: LatestMail | None) -> Row:
    standing, why = wording.standing(alert)
    readable = mail is not None and permissions.may_read_mail(
        viewer.person, alert.recipient, mail.company_ids
    )
    return Row(
        alert=alert,
        own=alert.member.pk == viewer.member.pk,
        companies=wording.companies(alert),
        scope=wording.scope(alert),
        ended=wording.ended(alert),
        origin=wording.origin(alert),
        standing=standing,
        why=why,
        suppression=alert.suppression if alert.obstacle is Obstacle.BOUNCED else None,
        mail=mail,
        mail_is_readable=readable,
    )
