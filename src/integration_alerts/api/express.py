"""Small requests with reports, answered before Django comes to them.

What Django does for pages (sessions, forms, sign-in, routes) takes several times as long as
recording a report. Only the usual case is dealt with here. In every other one Django answers
(`app`), from the same bytes, as if this did not exist.
"""

from collections.abc import Iterable
from http import HTTPStatus
from io import BytesIO
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import setup_testing_defaults

from django.db import close_old_connections

from integration_alerts.api import results
from integration_alerts.api.bodies import JSON, read_array
from integration_alerts.api.keys import may_be_left
from integration_alerts.api.problems import DATABASE_AWAY, database_away

_PATH = "/api/v1/reports"

Headers = list[tuple[str, str]]


class Express:
    """A WSGI application in front of Django's."""

    def __init__(self, django: WSGIApplication) -> None:
        self._django = django
        self._common = _of_every_answer(django)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        key = _key_of_small_request(environ)
        if key is None:
            return self._django(environ, start_response)
        body = _body(environ)
        environ["wsgi.input"] = BytesIO(body)
        try:
            status, headers, answer = _answer(body, key)
        except Exception:  # whatever it is, Django has the words for it, and logs what is a fault
            return self._django(environ, start_response)
        finally:
            close_old_connections()
        length = ("Content-Length", str(len(answer)))
        start_response(f"{status.value} {status.phrase}", [*headers, length, *self._common])
        return [answer]


def _key_of_small_request(environ: WSGIEnvironment) -> str | None:
    """The API key of a request that may be answered here; None for any other one."""
    if environ["PATH_INFO"] != _PATH or environ["REQUEST_METHOD"] != "POST":
        return None
    scheme, _, key = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    usual = (
        scheme.lower() == "bearer"
        and environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() == JSON
        and may_be_left(environ, key)
    )
    return key if usual else None


def _body(environ: WSGIEnvironment) -> bytes:
    """All of the body; less if it breaks off. One read may be no more than what has come."""
    source, left, pieces = environ["wsgi.input"], int(environ["CONTENT_LENGTH"]), []
    while left and (piece := source.read(left)):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)


def _answer(body: bytes, key: str) -> tuple[HTTPStatus, Headers, bytes]:
    try:
        return HTTPStatus.OK, [("Content-Type", JSON)], results.take(read_array(body), key=key)
    except DATABASE_AWAY as error:
        response = database_away(f"POST {_PATH}", error)
        return HTTPStatus(response.status_code), list(response.items()), response.content


def _of_every_answer(django: WSGIApplication) -> Headers:
    """The headers that Django's middleware adds to every answer, as it adds them to one."""
    found: Headers = []

    def note(_: str, headers: Headers, *__: object) -> object:
        found.extend(headers)
        return None

    environ: WSGIEnvironment = {"PATH_INFO": "/healthz"}
    setup_testing_defaults(environ)
    answer = django(environ, note)  # type: ignore[arg-type]  # nobody writes
    for _ in answer:
        pass
    if hasattr(answer, "close"):
        answer.close()
    return [each for each in found if each[0] not in ("Content-Type", "Content-Length")]
