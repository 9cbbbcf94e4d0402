"""Accepting an invitation: set a password, or take it with a sign-in that one has already."""

from http import HTTPStatus

from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.views import redirect_to_login
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from integration_alerts.directory import invitations
from integration_alerts.directory.models import Member, User
from integration_alerts.directory.sign_in_addresses import find_user, has_proven, prove
from integration_alerts.engine import clock
from integration_alerts.engine.inviting import invite_address
from integration_alerts.engine.retrying import retry_deadlocks
from integration_alerts.web import flash
from integration_alerts.web.sign_in.entering import let_in
from integration_alerts.web.wording import count


@never_cache
@sensitive_post_parameters("new_password1", "new_password2")
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Accept an invitation, or say why that cannot be done and how to get a new one."""
    opened = invitations.open_token(token, clock.now())
    member = opened.member
    if member is None or not opened.valid:
        return _void(request, token, member)
    user = request.user
    if not isinstance(user, AnonymousUser):
        return _with_sign_in(request, member, user)
    if find_user(member.email) is not None:
        # Their password, and their second step if they have one; then they come back here.
        return redirect_to_login(request.path)
    return _with_password(request, member)


@require_http_methods(["GET", "POST"])
def invitation_again(request: HttpRequest, token: str) -> HttpResponse:
    """Send a new invitation to the member whom an old one was for; says the same in any case."""
    if request.method == "GET":
        return redirect("invitation", token)
    member = invitations.open_token(token, clock.now()).member
    if member is not None:
        invite_address(member.email, clock.now())
    return render(request, "account/password_reset_done.html")


def _void(request: HttpRequest, token: str, member: Member | None) -> HttpResponse:
    user = request.user
    if member is not None and member.user_id is not None and member.user_id == user.pk:
        return redirect("start")
    context = {"known": member is not None, "used": bool(member and member.user_id), "token": token}
    return render(request, "account/invitation_void.html", context, status=HTTPStatus.GONE)


def _with_sign_in(request: HttpRequest, member: Member, user: User) -> HttpResponse:
    if request.method == "POST":
        # A link can be passed on: with another sign-in it is good for what the page asked, no more.
        theirs = user.email.lower() == member.email.lower() or has_proven(user, member.email)
        if theirs:
            linked = invitations.link(user, [member.email])
        else:
            linked = invitations.link_only(user, member)
        if not linked:
            flash.refused(
                request, f"You are a user of {member.account.name} already. Nothing was changed."
            )
            return redirect("start")
        if user.email.lower() == member.email.lower():
            prove(user, member.email)
        accounts = count(len(linked), "account")
        flash.done(request, f"You act for {accounts} with this sign-in now.")
        return redirect("start")
    return render(request, "account/invitation_join.html", {"member": member})


def _accept(form: "SetPasswordForm[User]", member: Member) -> None:
    with transaction.atomic():
        user = form.save()
        prove(user, member.email)
        invitations.link(user, [member.email])


def _with_password(request: HttpRequest, member: Member) -> HttpResponse:
    user = User(email=member.email.lower())
    form = SetPasswordForm(user, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            # An import may hold members of the same accounts, in its own order.
            retry_deadlocks(lambda: _accept(form, member))
        except IntegrityError:  # accepted in another tab at this moment
            return redirect(request.path)
        flash.done(request, "Your password is set, and you are signed in.")
        return let_in(request, user, reverse("start"))
    context = {"member": member, "form": form}
    return render(request, "account/invitation.html", context)
