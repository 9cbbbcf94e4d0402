"""Who counts as an operator: whoever signed in as one; in a demo, anybody on this machine."""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest

# What proxies say about whom they speak for. One that says nothing cannot be told from a browser:
# a demo does not belong behind a proxy.
_FORWARDED = (
    "HTTP_FORWARDED", "HTTP_X_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_CLIENT_IP", "HTTP_VIA",
    "HTTP_CF_", "HTTP_TRUE_CLIENT_IP",
)  # fmt: skip


def may_operate(request: HttpRequest) -> bool:
    """Whether this request comes from an operator, or from this machine in a demo."""
    if request.user.is_authenticated and request.user.is_active and request.user.is_staff:
        return True
    return is_local_demo(request)


def is_local_demo(request: HttpRequest) -> bool:
    """Whether this is a demo, asked from this machine."""
    return bool(settings.CONFIGURATION.demo) and _is_local(request)


def _is_local(request: HttpRequest) -> bool:
    # The name as well as the address: a web page elsewhere can have its own name point here, and
    # what passes through a proxy comes from this machine without being of it.
    try:
        host = urlsplit(f"//{request.META.get('HTTP_HOST', '')}").hostname or ""
    except ValueError:
        return False
    return (
        _is_loopback(request.META.get("REMOTE_ADDR", ""))
        and (host == "localhost" or _is_loopback(host))
        and not any(name.startswith(_FORWARDED) for name in request.META)
    )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
