"""What somebody typed when their session had ended: kept while they sign in again.

Nothing is done with it by itself: the form opens again with what was typed, to be checked and
saved. Never holds a password.
"""

from urllib.parse import urlencode
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, resolve_url

PARAMETER = "draft"
_KEY = "drafts"
_KEPT = 3
_LARGEST = 20_000  # characters; a scope of some thousand chosen companies


def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send an anonymous visitor to sign in, and back here afterwards."""
    target = request.get_full_path()
    if request.method == "POST":
        target = keep(request)
    query = urlencode({"next": target}, safe="/")
    address = f"{resolve_url(settings.LOGIN_URL)}?{query}"
    if request.headers.get("HX-Request") == "true":
        return HttpResponse(headers={"HX-Redirect": address})  # the page, not a part of it
    return redirect(address)


def keep(request: HttpRequest) -> str:
    """Keep what was posted; returns the address of the form that opens with it."""
    form = request.POST.copy()
    form.pop("csrfmiddlewaretoken", None)
    typed = form.urlencode()
    messages.warning(
        request, "You were signed out before this was done. Nothing was changed; do it once more."
    )
    if not typed or len(typed) > _LARGEST:
        return request.path
    key = uuid4().hex
    kept = {**request.session.get(_KEY, {}), key: {"path": request.path, "typed": typed}}
    request.session[_KEY] = dict(list(kept.items())[-_KEPT:])
    return f"{request.path}?{PARAMETER}={key}"


def typed(request: HttpRequest) -> QueryDict | None:
    """What was typed into this form before the session ended; None: nothing."""
    kept = request.session.get(_KEY, {}).get(request.GET.get(PARAMETER, ""))
    if kept is None or kept["path"] != request.path:
        return None
    return QueryDict(kept["typed"])
