"""Statements written out, on Django's connection: values bound by the server, binary results.

For statements that run all the time. Django's own cursor writes every value into the statement and
reads every time in Python. With DATABASE_URL nothing is prepared by name, so PgBouncer may stand in
between. Arrays of values: `columns`.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection
from psycopg import Cursor
from psycopg.pq import Format


def fetch(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a statement and return its rows; times are in UTC."""
    with _cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def run(sql: str, parameters: Sequence[Any]) -> int:
    """Run a statement; returns how many rows it touched."""
    with _cursor() as cursor:
        cursor.execute(sql, parameters)
        return int(cursor.rowcount)


def _cursor() -> Any:
    connection.ensure_connection()
    cursor = Cursor(connection.connection)
    cursor.format = Format.BINARY
    # Wrapped as Django wraps its own: its errors, its log of statements.
    make = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    return make(cursor)  # type: ignore[arg-type]
