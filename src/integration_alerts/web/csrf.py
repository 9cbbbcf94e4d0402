"""Forms that were opened before a sign-in in another tab: what was typed is not lost."""

from http import HTTPStatus
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from integration_alerts.web.drafts import keep


def failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001
    """Open the form again with what was typed; a request from another site gets 403.

    Nothing is done either way, and the sign-in pages, which take passwords, keep nothing.
    """
    if _is_own(request) and not request.path.startswith(("/sign-in", "/invitation")):
        return redirect(keep(request))
    return render(
        request,
        "web/failure.html",
        {
            "title": "This form could not be accepted",
            "text": (
                "It was opened before you signed in or out, cookies are blocked, or it came from "
                "another site. Nothing was changed. Open the page again and do it once more."
            ),
        },
        status=HTTPStatus.FORBIDDEN,
    )


def _is_own(request: HttpRequest) -> bool:
    origin = urlsplit(request.META.get("HTTP_ORIGIN", ""))
    return bool(origin.netloc) and origin.netloc == request.get_host()
