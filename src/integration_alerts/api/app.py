"""REST v1: takes reports and directory lines in. Thin: `engine` does the work."""

import logging
from http import HTTPStatus

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from integration_alerts import __version__
from integration_alerts.api import descriptions, results
from integration_alerts.api.bodies import JSON, read_lines, read_reports
from integration_alerts.api.bounces import router as bounces
from integration_alerts.api.keys import BearerKey, PlatformKeyOrOperator, forget, look_up
from integration_alerts.api.problems import (
    DATABASE_AWAY,
    Problem,
    database_away,
    respond,
    server_error,
)
from integration_alerts.directory.keys import LiveKey
from integration_alerts.engine import clock, importing, intake
from integration_alerts.mail import inbox

logger = logging.getLogger(__name__)


api = NinjaAPI(
    title="Integration Alerts",
    version=__version__,
    urls_namespace="api",
    description="Report the states of integrations; the right people are told, until it is fixed.",
    docs=descriptions.Page(),
    docs_decorator=descriptions.allow_scripts,
    auth=BearerKey(),
)
api.add_router("bounces", bounces)


@api.post(
    "reports",
    summary="Report states",
    tags=["In"],
    auth=BearerKey(leaves_small=True),
    openapi_extra=descriptions.reports(),
)
def reports(request: HttpRequest) -> HttpResponse:
    """Take status reports in (R1, R2); durable when answered.

    One result a report, in order: a wrong report rejects itself, not its batch. An array is one
    transaction; NDJSON may be longer and is stored in batches of 1,000.
    """
    key: LiveKey | str = request.auth  # type: ignore[attr-defined]  # set by ninja
    try:
        items = read_reports(request)
    except Problem:
        if isinstance(key, str) and look_up(key) is None:  # that comes before all else
            raise intake.UnknownKeyError from None
        raise
    if not isinstance(key, str):
        return _as_json(results.take(items, only_account=key.account))
    try:
        return _as_json(results.take(items, key=key))
    except intake.UnknownKeyError:
        forget(key)
        raise


@api.post(
    "directory", summary="Change the directory", tags=["In"], openapi_extra=descriptions.directory()
)
def directory(request: HttpRequest) -> HttpResponse:
    """Make or change accounts, companies, users, integrations and subscriptions.

    Lines apply in order, each by itself; sending them again changes nothing.
    """
    answers = []
    for batch in read_lines(request).batches(importing.BATCH):
        imported = importing.take_directory(
            batch.values, clock.now(), only_account=_account(request)
        )
        for index, answer in enumerate(imported):
            wrong = answer.error
            error = (
                None
                if wrong is None
                else results.wrong(batch.place(index), wrong.field, wrong.message)
            )
            result = "applied" if wrong is None else "rejected"
            answers.append(descriptions.LineResult(answer.id, result, error))  # type: ignore[arg-type]
    return _json(answers)


@api.get(
    "inbox",
    summary="Read the built-in inbox",
    tags=["Development"],
    auth=PlatformKeyOrOperator(),
    openapi_extra=descriptions.inbox(),
)
def inbox_list(request: HttpRequest, before: int | None = None, limit: int = 50) -> HttpResponse:  # noqa: ARG001
    """The mails that the built-in inbox caught, the newest first, for development and demos.

    `before` is the id of the oldest mail of the page before; `limit` is at most 500.
    """
    mails = inbox.newest(max(1, min(limit, 500)), before=before)
    return _json(
        [
            descriptions.InboxEntry(
                mail.id, mail.received_at.isoformat(), mail.sender, mail.recipient, mail.subject,
                mail.text, mail.html, mail.raw.decode("utf-8", "replace"),
            )
            for mail in mails
        ]
    )  # fmt: skip


@api.exception_handler(Problem)
def on_problem(request: HttpRequest, problem: Problem) -> HttpResponse:  # noqa: ARG001
    """A request that cannot be taken."""
    return respond(problem)


@api.exception_handler(intake.UnknownKeyError)
@api.exception_handler(AuthenticationError)
def on_unauthenticated(request: HttpRequest, error: Exception) -> HttpResponse:  # noqa: ARG001
    """No key, or one that opens nothing here."""
    detail = "send a valid API key: Authorization: Bearer ia_…"
    return respond(Problem(HTTPStatus.UNAUTHORIZED, detail))


@api.exception_handler(ValidationError)
def on_invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:  # noqa: ARG001
    """A parameter of the wrong type."""
    first = error.errors[0]
    place = "/".join(str(part) for part in first["loc"])
    detail = f"{first['loc'][-1]}: {first['msg']}"
    return respond(Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, pointer=f"/{place}"))


def on_database_away(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """The database cannot be reached."""
    return database_away(f"{request.method} {request.path}", error)


for _away in DATABASE_AWAY:
    api.add_exception_handler(_away, on_database_away)


@api.exception_handler(Exception)
def on_fault(request: HttpRequest, error: Exception) -> HttpResponse:
    """A fault of ours."""
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return server_error(request)


def _account(request: HttpRequest) -> str | None:
    key: LiveKey = request.auth  # type: ignore[attr-defined]  # set by ninja
    return key.account


def _json(value: object) -> HttpResponse:
    return _as_json(msgspec.json.encode(value))


def _as_json(body: bytes) -> HttpResponse:
    # With its length the server sends it in one piece.
    headers = {"Content-Length": str(len(body))}
    return HttpResponse(body, content_type=JSON, headers=headers)
