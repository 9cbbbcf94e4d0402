"""A member's mail address in one account: where the alerts of that account go."""

from http import HTTPStatus

from allauth.core import ratelimit
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from integration_alerts.directory import address_change
from integration_alerts.directory.addresses import is_address
from integration_alerts.directory.models import Member
from integration_alerts.engine import clock
from integration_alerts.engine.readdressing import ask_new_address, tell_old_address
from integration_alerts.web import flash
from integration_alerts.web.drafts import typed
from integration_alerts.web.viewer import Viewer, account_page


@require_http_methods(["GET", "POST"])
@account_page
def address(request: HttpRequest, viewer: Viewer) -> HttpResponse:
    """Show the address and take a new one, which is used once its mailbox has confirmed."""
    problem, wanted = "", ""
    if request.method == "POST":
        wanted = request.POST.get("email", "").strip()
        problem = _problem(viewer.member, wanted)
        if not problem:
            if (refused := _too_often(request)) is not None:
                return refused
            ask_new_address(viewer.member, wanted, clock.now())
            flash.done(
                request,
                f"A mail is on its way to {wanted}. Open the link in it within 3 days; until then, "
                f"mail goes to {viewer.member.email}.",
            )
            return redirect("address", viewer.account.pk)
    elif (kept := typed(request)) is not None:
        wanted = kept.get("email", "")
    context = {"problem": problem, "wanted": wanted}
    return render(request, "account/address.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def confirm_address(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, and then use the new address. The link alone is enough: it proves the mailbox."""
    change = address_change.open_change(token, clock.now())
    if change is None:
        return _void(request)
    if request.method == "POST":
        with transaction.atomic():  # no change without the mail that tells of it
            carried_out = address_change.carry_out(change)
            if carried_out:
                tell_old_address(change.member, change.address)
        if not carried_out:
            return _void(request)
        return render(request, "account/address_changed.html", {"change": change})
    return render(request, "account/address_confirm.html", {"change": change})


def _too_often(request: HttpRequest) -> HttpResponse | None:
    answer: HttpResponse | None = ratelimit.consume_or_429(request, action="manage_email")
    return answer


def _void(request: HttpRequest) -> HttpResponse:
    return render(request, "account/address_void.html", status=HTTPStatus.GONE)


def _problem(member: Member, wanted: str) -> str:
    if not wanted:
        return "Type the address that mail should go to."
    if not is_address(wanted):
        return f"“{wanted}” is not an e-mail address. One looks like name@company.example."
    if wanted == member.email:
        return "This is your address already."
    return ""
