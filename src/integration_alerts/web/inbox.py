"""The pages of the built-in inbox, for operators."""

import re

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from integration_alerts.mail import inbox
from integration_alerts.mail.inbox import CaughtMail
from integration_alerts.web.letter_frame import framed
from integration_alerts.web.operators import operators_only

PAGE_SIZE = 50


@require_safe
@operators_only
def inbox_list(request: HttpRequest) -> HttpResponse:
    """Every caught mail, the newest first, a page at a time."""
    before = request.GET.get("before", "")
    position = int(before) if re.fullmatch(r"[0-9]{1,19}", before) else None
    mails = inbox.newest(PAGE_SIZE + 1, before=position)
    context = {
        "mails": mails[:PAGE_SIZE],
        "older": mails[PAGE_SIZE - 1].id if len(mails) > PAGE_SIZE else None,
        "catches_mail": settings.CONFIGURATION.mail_server is None,
    }
    return render(request, "web/inbox.html", context)


@require_safe
@operators_only
def inbox_mail(request: HttpRequest, mail_id: int) -> HttpResponse:
    """One mail: as rendered, as text, as source."""
    mail = _find(mail_id)
    source = mail.raw.decode("utf-8", "replace")
    return render(request, "web/inbox_mail.html", {"mail": mail, "source": source})


@require_safe
@operators_only
@xframe_options_sameorigin
def inbox_html(request: HttpRequest, mail_id: int) -> HttpResponse:  # noqa: ARG001
    """The HTML part alone, for the frame; it may run nothing and load nothing."""
    return framed(_find(mail_id).html)


@require_safe
@operators_only
def inbox_raw(request: HttpRequest, mail_id: int) -> HttpResponse:  # noqa: ARG001
    """The exact bytes, as a file that mail programs open."""
    response = HttpResponse(_find(mail_id).raw, content_type="message/rfc822")
    response.headers["Content-Disposition"] = f'attachment; filename="mail-{mail_id}.eml"'
    return response


def _find(mail_id: int) -> CaughtMail:
    mail = inbox.find(mail_id)
    if mail is None:
        raise Http404
    return mail
