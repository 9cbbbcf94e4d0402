"""Signing somebody in who proved who they are in another way than by a password."""

from allauth.account.utils import perform_login
from django.http import HttpRequest, HttpResponse

from integration_alerts.directory.models import User


def let_in(request: HttpRequest, user: User, target: str) -> HttpResponse:
    """Sign in and go to `target`; who has a second step is asked for it first."""
    answer: HttpResponse = perform_login(request, user, redirect_url=target)
    return answer
