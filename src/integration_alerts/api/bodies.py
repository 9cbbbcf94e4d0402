"""Reading request bodies: a JSON array, or one JSON value a line (NDJSON)."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError

from integration_alerts.api.problems import Problem
from integration_alerts.directory.lines import LineError, decode, split
from integration_alerts.engine.intake import parse, parse_report, parse_reports

JSON = "application/json"
NDJSON = "application/x-ndjson"
MAX_ITEMS = 1000
MAX_LINES = 100_000
_PIECE = 1 << 16
_DRAIN_LIMIT = 1 << 26


@dataclass(frozen=True, slots=True)
class Items:
    """Values of a body, or the LineErrors they ended in, and where each stood: `item 3`."""

    word: str
    numbers: Sequence[int]
    values: list[Any]

    def place(self, index: int) -> str:
        """Where a value stood in the body."""
        return f"{self.word} {self.numbers[index]}"

    def batches(self, size: int) -> Iterator["Items"]:
        """Cut a long body into pieces of one transaction each."""
        for start in range(0, len(self.values), size):
            piece = slice(start, start + size)
            yield Items(self.word, self.numbers[piece], self.values[piece])


def read_reports(request: HttpRequest) -> Items:
    """The reports of a body; raises Problem when it cannot be taken as a whole."""
    return _read(request, parse_reports, parse_report)


def read_lines(request: HttpRequest) -> Items:
    """The values of a body; raises Problem when it cannot be taken as a whole."""
    return _read(request, decode, parse)


def _read(
    request: HttpRequest, array: Callable[[bytes], Any], line: Callable[[bytes], Any]
) -> Items:
    body = read_body(request, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    kind = request.content_type
    if kind == JSON:
        return read_array(body, array)
    if kind == NDJSON:
        return _lines(body, line)
    raise Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        f"Content-Type: expected {JSON} (an array) or {NDJSON} (one value a line), "
        f"got {kind or 'none'}",
    )


def read_body(request: HttpRequest, limit: int) -> bytes:
    """The bytes of a body, at most `limit`; raises Problem for more, or when it breaks off."""
    try:
        body = _read_chunked(request, limit) if _is_chunked(request) else request.body
    except RequestDataTooBig:
        raise _too_large(request, limit) from None
    except UnreadablePostError:
        raise Problem(HTTPStatus.BAD_REQUEST, "the body broke off before its end") from None
    if len(body) > limit:
        raise _too_large(request, limit)
    return body


def _lines(body: bytes, parse: Callable[[bytes], Any]) -> Items:
    if body.count(b"\n") > MAX_LINES:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the body has more than {MAX_LINES} lines; send it in several requests",
        )
    lines = list(split(body))
    if not lines:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the body holds no lines")
    return Items("line", [number for number, _ in lines], [parse(line) for _, line in lines])


def read_array(body: bytes, parse: Callable[[bytes], Any] = parse_reports) -> Items:
    """The values of a body that is a JSON array; raises Problem when it is none."""
    try:
        values = parse(body)
    except LineError as error:
        raise Problem(HTTPStatus.BAD_REQUEST, f"the body is {error.message}") from None
    if not isinstance(values, list):
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"expected a JSON array of 1 to {MAX_ITEMS} objects"
        )
    if not 1 <= len(values) <= MAX_ITEMS:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"expected a JSON array of 1 to {MAX_ITEMS} objects, got {len(values)}; "
            f"send several requests, or {NDJSON}",
        )
    return Items("item", range(1, len(values) + 1), values)


def _drain(request: HttpRequest) -> None:
    """Read what a client is still sending; it would see a broken connection, not our answer.

    Only for clients with a key: whoever sends slowly holds a thread meanwhile.
    """
    source = _source(request)
    with suppress(OSError):
        for _ in range(_DRAIN_LIMIT // _PIECE):
            if not source.read(_PIECE):
                return


def _too_large(request: HttpRequest, limit: int) -> Problem:
    _drain(request)
    return Problem(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"the body is larger than {limit // (1 << 20)} MB, the most that is taken at once here",
    )


def _read_chunked(request: HttpRequest, limit: int) -> bytes:
    # The server hands on what has arrived: one read is not all. A little past the limit is enough.
    source, body = _source(request), bytearray()
    while len(body) <= limit and (piece := source.read(_PIECE)):
        body += piece
    return bytes(body)


def _source(request: HttpRequest) -> Any:
    # Django takes a body without Content-Length for an empty one; the server knows where it ends.
    return request.META["wsgi.input"] if _is_chunked(request) else request


def _is_chunked(request: HttpRequest) -> bool:
    return "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
