"""The page behind the unsubscribe link of a mail: asks on GET, pauses on POST (R19, RFC 8058).

Needs no sign-in and no cookies: the link is signed, and mail providers post to it on their own.
Whoever only opens or scans it changes nothing.
"""

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from integration_alerts.alerts import subscribing
from integration_alerts.alerts.models import Subscription
from integration_alerts.engine import clock
from integration_alerts.mail.unsubscribing import read_token

# RFC 8058 section 3.2: what a mail provider posts; the page's own button does the same.
_FIELD, _ONE_CLICK = "List-Unsubscribe", "One-Click"


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """Say whose mails the link ends and ask, or end them; doing it again changes nothing."""
    member_id = read_token(token)
    if member_id is None:
        return _page(request, "void", status=HTTPStatus.NOT_FOUND)
    subscription = (
        Subscription.objects.select_related("member__account").filter(member=member_id).first()
    )
    if subscription is None:
        return _page(request, "gone")
    unsubscribed = subscription.unsubscribed_by_link
    if request.method == "POST" and request.POST.get(_FIELD) == _ONE_CLICK:
        try:
            subscribing.unsubscribe(subscription, clock.now())
        except Subscription.DoesNotExist:  # deleted at this moment
            return _page(request, "gone")
        unsubscribed = True
    return _page(request, "done" if unsubscribed else "ask", subscription)


def _page(
    request: HttpRequest,
    step: str,
    subscription: Subscription | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    context: dict[str, object] = {"step": step}
    if subscription is not None:
        context |= {"recipient": subscription.member, "account": subscription.member.account}
    response = render(request, "web/unsubscribe.html", context, status=status)
    response.headers["X-Robots-Tag"] = "noindex"
    return response
