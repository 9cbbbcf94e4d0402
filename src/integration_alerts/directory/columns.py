"""Rows as the arrays that PostgreSQL's `unnest` takes, so that one statement serves a batch."""

from collections.abc import Iterable
from typing import Any


def columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """The columns of rows that have `width` fields each; empty arrays when there is no row."""
    held = list(rows)
    return [[row[index] for row in held] for index in range(width)]
