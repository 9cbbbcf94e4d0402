"""Sign-in & security: everything about one's sign-in on one page."""

from typing import cast

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from integration_alerts.directory.models import User


@require_safe
@login_required
def security(request: HttpRequest) -> HttpResponse:
    """Show sign-in address, password, second step and sessions, each with where to change it."""
    user = cast("User", request.user)
    kinds = {each.type: each for each in Authenticator.objects.filter(user=user)}
    codes = kinds.get(Authenticator.Type.RECOVERY_CODES)
    return render(
        request,
        "account/security.html",
        {
            "new_address": EmailAddress.objects.filter(user=user, verified=False).last(),
            "has_password": user.has_usable_password(),
            "two_step": kinds.get(Authenticator.Type.TOTP),
            "codes_left": None if codes is None else len(codes.wrap().get_unused_codes()),
            "sessions": UserSession.objects.purge_and_list(user),
        },
    )
