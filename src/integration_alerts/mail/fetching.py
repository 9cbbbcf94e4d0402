"""Asking the database for all rows of a statement."""

from collections.abc import Sequence
from typing import Any

from django.db import connection


def fetch_all(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows, in the statement's order."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())
