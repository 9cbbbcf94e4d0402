"""Rows as the arrays that PostgreSQL's `unnest` takes, so that one statement serves a batch.

An array goes to the server as the text of an array literal. Lists that the driver writes out, in
Python, cost more than what the statement then does with them.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

_ESCAPE = re.compile(r"\\(?:u00([0-9a-f]{2})|(.))")
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def array(values: Iterable[Any]) -> str:
    """One array of numbers, texts, times, truth values or None; cast it in the statement."""
    # JSON is an array literal but for its brackets and its escapes of control characters.
    text = msgspec.json.encode(list(values)).decode()
    if "\\" in text:
        text = _ESCAPE.sub(_unescape, text)
    return "{" + text[1:-1] + "}"


def columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[str]:
    """The columns of rows that have `width` fields each; empty arrays when there is no row."""
    return [array(column) for column in zip(*rows, strict=True)] or ["{}"] * width


def _unescape(escape: re.Match[str]) -> str:
    number, letter = escape.groups()
    return chr(int(number, 16)) if number else _CONTROLS.get(letter, escape.group())
