"""Errors of the API as `application/problem+json` (RFC 9457)."""

from http import HTTPStatus
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse


class Problem(Exception):
    """A request that cannot be answered; `pointer` (RFC 6901) names the offending part."""

    def __init__(self, status: HTTPStatus, detail: str, *, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.pointer = pointer


def respond(problem: Problem) -> HttpResponse:
    """The response that tells a client about a problem."""
    body: dict[str, Any] = {
        "type": "about:blank",  # RFC 9457 section 4.2.1: the title is the status code's
        "title": problem.status.phrase,
        "status": problem.status.value,
        "detail": problem.detail,
    }
    if problem.pointer is not None:
        body["errors"] = [{"detail": problem.detail, "pointer": problem.pointer}]
    response = HttpResponse(
        msgspec.json.encode(body),
        status=problem.status.value,
        content_type="application/problem+json",
    )
    if problem.status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Integration Alerts"'
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Any unknown address: a problem for API clients, a short page for people."""
    if request.path.startswith("/api/"):
        return respond(Problem(HTTPStatus.NOT_FOUND, f"there is nothing at {request.path}"))
    return HttpResponse("There is nothing at this address.", status=404, content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours: logged with its traceback, told without one."""
    detail = "a fault on our side; nothing of this request was stored, try it again"
    if request.path.startswith("/api/"):
        return respond(Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail))
    return HttpResponse("Something went wrong here. Try again.", status=500)
