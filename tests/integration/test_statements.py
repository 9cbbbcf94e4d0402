"""Statements with values bound by the server (directory.statements), and arrays of values."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integration_alerts.directory.columns import array, columns
from integration_alerts.directory.statements import fetch, run

pytestmark = pytest.mark.django_db

TEXTS = st.text('ab"\\{},n \n\t\x01\x7fé☎', max_size=8)
AWKWARD = ['"', "\\", "\\n", "a\nb", "{x}", "NULL", "null", "", " ", ",", "\x01\x7f\x1f", "é☎"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.one_of(st.none(), TEXTS, st.sampled_from(AWKWARD))))
def test_texts_arrive_as_they_are(db: None, texts: list[str | None]) -> None:
    assert fetch("SELECT %s::text[]", [array(texts)]) == [(texts,)]


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", [1, -(2**63), None]),
        ("boolean", [True, False, None]),
        ("timestamptz", [datetime(2026, 3, 2, 9, 0, 0, 1, UTC), None]),
        ("text", []),
    ],
)
def test_other_values_arrive_as_they_are(kind: str, values: list[Any]) -> None:
    assert fetch(f"SELECT %s::{kind}[]", [array(values)]) == [(values,)]


def test_a_time_of_another_zone_is_the_same_instant() -> None:
    there = datetime(2026, 3, 2, 11, 0, tzinfo=timezone(timedelta(hours=2)))
    ((times,),) = fetch("SELECT %s::timestamptz[]", [array([there])])
    assert times == [there]


def test_rows_become_columns() -> None:
    rows = [(1, "a"), (2, None)]
    sql = "SELECT * FROM unnest(%s::bigint[], %s::text[])"
    assert fetch(sql, columns(rows, 2)) == rows
    assert fetch(sql, columns([], 2)) == []


def test_they_are_seen_where_statements_are_counted_and_raise_djangos_errors(db: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert run("UPDATE account SET name = %s WHERE name = %s", ["x", "y"]) == 0
    assert "UPDATE account" in queries[0]["sql"]
    with pytest.raises(IntegrityError), transaction.atomic():
        run("INSERT INTO account (external_id) VALUES (%s)", ["x"])
