"""A mail's page: how it looked, and what became of it."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from integration_alerts.directory.people import person
from integration_alerts.mail import history
from integration_alerts.mail.models import DeliveryAttempt, Email, EmailStatus
from integration_alerts.rules.permissions import may_read_mail
from integration_alerts.rules.retry import Phase
from integration_alerts.web.integration_pages import wording
from integration_alerts.web.letter_frame import framed
from integration_alerts.web.replica import from_replica
from integration_alerts.web.viewer import Viewer, account_page

LISTED = 50


@require_safe
@account_page
@from_replica
def email(request: HttpRequest, viewer: Viewer, email_id: int) -> HttpResponse:
    """One mail, for those who may see its recipient's alert and all that it tells of."""
    found = _find(viewer, email_id)
    status = EmailStatus(found.status)
    shown = history.told_of(found, LISTED)
    context = {
        "email": found,
        "subject": found.subject or "A mail that is not written yet",
        "fate": wording.fate(found),
        "to": found.address or found.member.email,
        "queued": status is EmailStatus.QUEUED,
        "content": history.content(found),
        "notices": [
            (item.notice.incident.integration, item.company, wording.step(item.notice))
            for item in shown
        ],
        "more": history.count_told_of(found) - len(shown) if len(shown) == LISTED else 0,
        "bounces": history.came_back(found),
        "attempts": [_attempt(attempt) for attempt in history.attempts(found)],
    }
    return render(request, "web/integrations/email.html", context)


@require_safe
@account_page
@xframe_options_sameorigin
@from_replica
def email_html(request: HttpRequest, viewer: Viewer, email_id: int) -> HttpResponse:  # noqa: ARG001
    """The HTML part alone, for the frame; it may run nothing and load nothing."""
    return framed(history.content(_find(viewer, email_id)).html)


def _find(viewer: Viewer, email_id: int) -> Email:
    found = history.find(viewer.account.pk, email_id)
    if found is None:
        raise Http404
    companies = history.companies_named([found.pk])[found.pk]
    if not may_read_mail(viewer.person, person(found.member), companies):
        raise Http404
    return found


def _attempt(attempt: DeliveryAttempt) -> dict[str, Any]:
    return {
        "at": attempt.finished_at,
        "address": attempt.address,
        "phase": wording.PHASES[Phase(attempt.phase)],
        "code": attempt.code,
        "answer": attempt.answer,
    }
