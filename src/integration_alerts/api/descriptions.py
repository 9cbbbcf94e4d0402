"""What the OpenAPI document says about request and response bodies.

They are read and written by msgspec for speed, so their schemas come from the same types.
"""

import functools
import json
from collections.abc import Callable
from typing import Any, Literal

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI
from ninja.openapi.docs import Swagger

from integration_alerts.directory.directory_lines import (
    AccountLine,
    CompanyLine,
    IntegrationLine,
    SubscriptionLine,
    UserLine,
)
from integration_alerts.integrations.reports import Report
from integration_alerts.rules.states import Result


class Page(Swagger):
    """The page of the API, whose scripts we serve ourselves."""

    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        """As in Ninja when it is among the installed apps."""
        shown = {**self.settings, "url": self.get_openapi_url(api, kwargs)}
        context = {"swagger_settings": json.dumps(shown), "api": api, "add_csrf": False}
        return render(request, self.template, context)


class ReportResult(msgspec.Struct, omit_defaults=True):
    """What became of one report; `error` names the place, the field and what was expected."""

    id: str | None
    result: Result
    error: str | None = None


class LineResult(msgspec.Struct, omit_defaults=True):
    """What became of one directory line."""

    id: str | None
    result: Literal["applied", "rejected"]
    error: str | None = None


class InboxEntry(msgspec.Struct):
    """A mail that the built-in inbox caught."""

    id: int
    received_at: str
    sender: str
    recipient: str
    subject: str
    text: str
    html: str
    raw: str


def allow_scripts(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """The page to browse the API is the one page with scripts: Swagger UI, from this server."""

    @functools.wraps(view)
    def allowing(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'"
        )
        return response

    return allowing


_LINES = (AccountLine, CompanyLine, UserLine, IntegrationLine, SubscriptionLine)


def reports() -> dict[str, Any]:
    """`POST /reports`."""
    return _operation([Report], Report.__name__, ReportResult)


def directory() -> dict[str, Any]:
    """`POST /directory`."""
    return _operation(list(_LINES), "DirectoryLine", LineResult)


def inbox() -> dict[str, Any]:
    """`GET /inbox`."""
    return {"responses": {200: _results(InboxEntry)}}


def message(content_type: str, result: Any) -> dict[str, Any]:
    """A request whose body is a mail as it came."""
    answer = {"application/json": {"schema": _inlined(result)}}
    return {
        "requestBody": {
            "required": True,
            "content": {content_type: {"schema": {"type": "string"}}},
        },
        "responses": {
            200: {"description": "OK", "content": answer},
            **_problems(
                {
                    401: "No valid platform key",
                    413: "The message is larger than 1 MB",
                    415: "No message/rfc822",
                    422: "An empty body",
                    503: "The database is away, or the email is being sent: try again",
                }
            ),
        },
    }


def _operation(lines: list[Any], name: str, result: Any) -> dict[str, Any]:
    schemas = [_inlined(line) for line in lines]
    line = schemas[0] if len(schemas) == 1 else {"title": name, "oneOf": schemas}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "array", "items": line, "minItems": 1, "maxItems": 1000}
                },
                "application/x-ndjson": {"schema": line},
            },
        },
        "responses": {200: _results(result), **_PROBLEMS},
    }


def _results(result: Any) -> dict[str, Any]:
    schema = {"type": "array", "items": _inlined(result)}
    return {"description": "OK", "content": {"application/json": {"schema": schema}}}


def _inlined(kind: Any) -> dict[str, Any]:
    """The JSON schema of a type, with the types that it names put in their places."""
    schema = msgspec.json.schema(kind)
    definitions = schema.pop("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if reference := node.get("$ref"):
                return resolve(definitions[reference.rpartition("/")[2]])
            return {key: resolve(value) for key, value in node.items()}
        return [resolve(value) for value in node] if isinstance(node, list) else node

    resolved: dict[str, Any] = resolve(schema)
    return resolved


_PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}


def _problems(told: dict[int, str]) -> dict[int, Any]:
    return {
        status: {
            "description": description,
            "content": {"application/problem+json": {"schema": _PROBLEM_SCHEMA}},
        }
        for status, description in told.items()
    }


_PROBLEMS = _problems(
    {
        400: "The body is not valid JSON",
        401: "No valid API key",
        413: "The body is too large",
        415: "Neither JSON nor NDJSON",
        422: "Not an array of 1 to 1,000 objects",
    }
)
