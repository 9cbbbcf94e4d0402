"""Who counts as an operator: whoever signed in as one; in a demo, anybody on this machine."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest


def may_operate(request: HttpRequest) -> bool:
    """Whether this request comes from an operator, or from this machine in a demo."""
    if request.user.is_authenticated and request.user.is_active and request.user.is_staff:
        return True
    return bool(settings.CONFIGURATION.demo) and _is_local(request)


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
