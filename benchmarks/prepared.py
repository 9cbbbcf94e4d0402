"""Requests prepared as bytes: reports in batches, written to a file for `benchmarks.load`."""

import json
from collections.abc import Sequence
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Protocol
from uuid import uuid4

_unique = (f"{uuid4().hex[:12]}-{number}" for number in count())


class Names(Protocol):
    """How integrations are called; `filling.Layout` knows."""

    def names(self, number: int) -> dict[str, str]:
        """The ids of an integration, its company and its account."""


def report(number: int, state: str, at: datetime, layout: Names) -> dict[str, object]:
    """A status report about the integration of this number (`filling`)."""
    return {
        "id": next(_unique),
        **layout.names(number),
        "state": state,
        "occurred_at": at.isoformat(),
        **({"reason": _REASON} if state == "failed" else {}),
    }


def post(reports: Sequence[object], key: str) -> bytes:
    """One HTTP request, as a platform sends it that keeps its connection open."""
    body = json.dumps(reports, separators=(",", ":")).encode()
    head = (
        "POST /api/v1/reports HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: Bearer {key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def write(file: Path, lanes: Sequence[Sequence[bytes]]) -> None:
    """The requests of every connection: a line of JSON with their lengths, and then their bytes."""
    with file.open("wb") as out:
        lengths = [[len(request) for request in lane] for lane in lanes]
        out.write(json.dumps(lengths).encode() + b"\n")
        for lane in lanes:
            out.writelines(lane)


def read(file: Path) -> list[list[bytes]]:
    """What `write` wrote."""
    with file.open("rb") as source:
        lengths: list[list[int]] = json.loads(source.readline())
        return [[source.read(length) for length in lane] for lane in lengths]


_REASON = {"code": "token_expired", "message": "The sign-in has expired; somebody must sign in."}
