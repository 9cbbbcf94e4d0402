"""Where people arrive: the start page, and the addresses that lead into an account."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from integration_alerts.engine.operators import may_operate
from integration_alerts.web.drafts import ask_to_sign_in
from integration_alerts.web.sign_in.demo import demo_people
from integration_alerts.web.viewer import last_membership, memberships


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """The account of whoever is a member of one; for all others what this is, and where to go."""
    if request.user.is_authenticated:
        member = last_membership(request, list(memberships(request.user)))
        if member is not None:
            return redirect("integrations", member.account_id)
    return render(
        request,
        "web/start.html",
        {
            "inbox": may_operate(request),
            "demo_people": [] if request.user.is_authenticated else demo_people(request),
            "catches_mail": settings.CONFIGURATION.mail_server is None,
        },
    )


@require_safe
def my_alerts(request: HttpRequest) -> HttpResponse:
    """Where the link at the end of a mail leads: to the alerts of the account looked at last."""
    if not request.user.is_authenticated:
        return ask_to_sign_in(request)
    member = last_membership(request, list(memberships(request.user)))
    return redirect("start") if member is None else redirect("alerts", member.account_id)
