"""Who may look into the inbox: operators; anybody only in a demo on this machine itself."""

import functools
import ipaddress
from collections.abc import Callable
from typing import Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseForbidden

Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponse]


def operators_only(view: View[Rest]) -> View[Rest]:
    """Let operators in; others are asked to sign in, signed-in others get 403."""

    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        if may_operate(request):
            return view(request, *args, **kwargs)
        if request.user.is_authenticated:
            return HttpResponseForbidden("Only operators may open this page.")
        return redirect_to_login(request.get_full_path())

    return guarded


def may_operate(request: HttpRequest) -> bool:
    """Whether this request comes from an operator, or from this machine in a demo."""
    if request.user.is_authenticated and request.user.is_active and request.user.is_staff:
        return True
    return settings.CONFIGURATION.demo and _is_local(request)


def _is_local(request: HttpRequest) -> bool:
    # The name as well as the address: a web page elsewhere can have its own name point here, and
    # what passes through a proxy comes from this machine without being of it.
    host = urlsplit(f"//{request.META.get('HTTP_HOST', '')}").hostname or ""
    return (
        _is_loopback(request.META.get("REMOTE_ADDR", ""))
        and (host == "localhost" or _is_loopback(host))
        and "HTTP_X_FORWARDED_FOR" not in request.META
        and "HTTP_FORWARDED" not in request.META
    )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
