"""Errors of the API as `application/problem+json` (RFC 9457)."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from procrastinate.exceptions import ConnectorException

# What is raised while the database cannot be reached.
DATABASE_AWAY = (ConnectorException, InterfaceError, OperationalError)

logger = logging.getLogger(__name__)


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


def not_found(request: HttpRequest) -> HttpResponse:
    """Any unknown address of the API."""
    return respond(Problem(HTTPStatus.NOT_FOUND, f"there is nothing at {request.path}"))


def server_error(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """A fault of ours: logged with its traceback, told without one."""
    detail = "a fault on our side; send it again, what was stored already has no second effect"
    return respond(Problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail))


def database_away(what: str, error: object) -> HttpResponse:
    """The answer while the database cannot be reached; `what` was asked, for the log.

    Every batch is stored as a whole or not at all.
    """
    logger.error("%s: the database is away: %s", what, error)
    response = respond(
        Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "the database is away; send it again, what was stored already has no second effect",
        )
    )
    response.headers["Retry-After"] = "5"
    return response


class MethodNotAllowed:
    """Middleware: a wrong method at an address of the API is told as a problem, too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        response = self.get_response(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or not is_api(request):
            return response
        allowed = response.headers["Allow"]
        told = respond(Problem(HTTPStatus.METHOD_NOT_ALLOWED, f"use {allowed} at {request.path}"))
        told.headers["Allow"] = allowed
        return told


def is_api(request: HttpRequest) -> bool:
    """Whether this is an address of the API."""
    return request.path.startswith("/api/")
