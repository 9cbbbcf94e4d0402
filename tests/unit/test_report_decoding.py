"""Reading a report straight from its text says the same as reading its parsed value."""

from datetime import UTC, datetime
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from integration_alerts.directory.lines import LineError, decode
from integration_alerts.integrations.reports import (
    Report,
    check_time,
    decode_report,
    decode_reports,
    read_report,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEXTS = st.sampled_from(["ads", "\x00", "a\nb", "", "\x7f", "é", "x" * 200, "x" * 201])
VALUES = st.one_of(st.none(), st.integers(), st.booleans(), TEXTS, st.just({}), st.just([]))
TIMES = st.sampled_from(
    ["2026-03-02T09:00:00Z", "2026-03-02T10:00:00+01:00", "2026-03-02T09:05:01Z", "yesterday",
     "2026-03-02T09:00:00", "0001-01-01T00:00:00+10:00", "1969-12-31T23:59:59Z"]
)  # fmt: skip
MORE = st.dictionaries(
    st.sampled_from(
        ["provider", "name", "reason", "fix_url", "actor", "connection", "id", "state", "typo"]
    ),
    st.one_of(
        VALUES,
        st.sampled_from(["https://fix.example/1", "javascript:1", "failed"]),
        st.fixed_dictionaries({"code": VALUES}),
    ),
    max_size=2,
)


def a_report(more: dict[str, Any], occurred_at: str) -> dict[str, Any]:
    named = {"id": "1", "account": "acme", "company": "north", "integration": "ads"}
    return {**named, "state": "active", "occurred_at": occurred_at, **more}


def read(value: Any) -> Report | tuple[str, str]:
    try:
        return read_report(value, NOW)
    except LineError as error:
        return error.field, error.message


def check(report: Report) -> Report | tuple[str, str]:
    try:
        return check_time(report, NOW)
    except LineError as error:
        return error.field, error.message


@given(MORE, TIMES)
@example({}, "2026-03-02T10:00:00+01:00")
@example({"name": "\ud800"}, "2026-03-02T09:00:00Z")
def test_the_short_way_and_the_long_way_agree(more: dict[str, Any], occurred_at: str) -> None:
    raw = _json(a_report(more, occurred_at))
    slowly = _parsed(raw)
    report = decode_report(raw)
    if report is None:
        assert not isinstance(slowly, Report)
    else:
        assert check(report) == slowly
    many = decode_reports(b"[" + raw + b"]")
    assert many == (None if report is None else [report])


def test_times_are_in_utc() -> None:
    report = decode_report(_json(a_report({}, "2026-03-02T10:00:00+01:00")))
    assert report is not None
    assert check_time(report, NOW).occurred_at.tzinfo is UTC


def _json(value: Any) -> bytes:
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        return repr(value).replace("'", '"').encode("ascii", "backslashreplace")


def _parsed(raw: bytes) -> Any:
    try:
        return read(decode(raw))
    except LineError:
        return None
