"""Reading lines of JSON from outside into typed values, with errors that say what to do.

Shared by directory lines and status reports. Knows no rules beyond the shape of a line.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, EnumType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec

MAX_ID = 200
MAX_TEXT = 2000

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
# Not blank: a name is what people click on.
Name = Annotated[
    str, msgspec.Meta(min_length=1, max_length=MAX_TEXT, pattern=r"\A[^\x00]*[^\x00\s][^\x00]*\Z")
]
Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT, pattern=r"\A[^\x00]*\Z")]

Line = TypeVar("Line", bound=msgspec.Struct)

_PLACE = " - at `$"
_FIELD = re.compile(
    r"Object (?:missing required|contains unknown) field `(?P<field>.*)`", re.DOTALL
)


class LineError(ValueError):
    """A line that cannot be taken: which field, what was wrong, what was expected.

    `field` is a path such as `reason.code`, empty when the line as a whole is meant.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


def decode(raw: bytes | str) -> Any:
    """Parse one JSON text; raises LineError."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        words = str(error).removeprefix("JSON is malformed: ")
        raise LineError("", f"not valid JSON ({_sentence(words)})") from None
    except RecursionError:
        raise LineError("", "not valid JSON (nested too deeply)") from None


def convert(value: Any, line_type: type[Line]) -> Line:
    """Check a parsed JSON value against the type of its line; raises LineError."""
    if not isinstance(value, dict):
        raise LineError("", f"expected a JSON object, got {_kind(value)}")
    try:
        return msgspec.convert(value, line_type, strict=True)
    except msgspec.ValidationError as error:
        raise _explain(str(error), value, line_type) from None


def split(body: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines of NDJSON that are not blank, with their numbers from 1."""
    return numbered(body.split(b"\n"))


def numbered(lines: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """Number lines from 1 and leave out the blank ones."""
    for number, line in enumerate(lines, start=1):
        # A file that begins with a byte order mark is still UTF-8 (RFC 8259 section 8.1).
        if stripped := line.removeprefix(b"\xef\xbb\xbf" if number == 1 else b"").strip():
            yield number, stripped


def _explain(error: str, value: dict[str, Any], line_type: type[msgspec.Struct]) -> LineError:
    # From the right: what is said about the value may quote anything.
    what, _, place = error.rpartition(_PLACE) if _PLACE in error else (error, "", "")
    where = place.removesuffix("`").removeprefix(".")
    if field := _FIELD.match(what):
        name = ascii(field["field"])[1:-1]
        path = f"{where}.{name}" if where else name
        problem = "missing" if "missing" in what else "not a known field; check its spelling"
        return LineError(path, problem)
    what = what.replace("`", "")
    if "matching regex" in what and "https" in what:
        what = "Expected an address that begins with https:// or http://"
    elif "x1f" in what and "matching regex" in what:
        what = "Expected text without control characters or line breaks"
    elif "matching regex" in what and r"\s" in what:
        what = "Expected text that is not blank, without NUL characters"
    elif "matching regex" in what:
        what = "Expected text without NUL characters"
    if what.startswith(("Invalid enum value", "Invalid value")):
        what = f"expected {_choices(line_type, where)}"
    got = _look_up(value, where)
    shown = "" if got is None or ", got" in what else f", got {_shorten(got)}"
    return LineError(where, _sentence(what) + shown)


def _choices(line_type: type[msgspec.Struct], field: str) -> str:
    """The words that a field of an enumerated or literal type takes, to be read by people."""
    kinds = [known.type for known in msgspec.structs.fields(line_type) if known.name == field]
    words: list[str] = []
    for member in (member for kind in kinds for member in (kind, *get_args(kind))):
        if isinstance(member, EnumType):
            members: Mapping[str, Enum] = member.__members__
            words += [str(word.value) for word in members.values()]
        elif get_origin(member) is Literal:
            words += [f'"{word}"' for word in get_args(member)]
        elif get_origin(member) is list:
            words.append("an array")
    return f"one of {', '.join(words)}" if len(words) > 2 else " or ".join(words)


def _look_up(value: Any, path: str) -> Any:
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _shorten(value: Any) -> str:
    text = ascii(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    names: dict[type, str] = {list: "an array", str: "a string", bool: "a boolean"}
    return names.get(type(value), "a number")


def _sentence(text: str) -> str:
    return text[:1].lower() + text[1:] if text else text
