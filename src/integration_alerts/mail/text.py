"""Text in mails: from outside as one harmless line, shortened to its room, folded, counted.

Knows no facts and no HTML; the templates escape.
"""

import re
from collections.abc import Sequence

COLUMNS = 72
_ESCAPED = "<>&\"'"
_IS_COSTLY = re.compile(f"[{_ESCAPED}\x80-\U0010ffff]").search


def one_line(text: str) -> str:
    """Text from outside as one line without control characters, fit for a header."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    visible = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(visible.split())


def shorten(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis where something is missing."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def fitted(text: str, room: int) -> str:
    """Text from outside on one line in `room` characters, of which none may cost much in a mail.

    A letter of another script takes up to 12 bytes once it is encoded, an escaped one 7: a text
    gets no more than 4 bytes a character on average, so that a mail's size has a bound.
    """
    line = shorten(one_line(text), room) if room else ""
    if not _IS_COSTLY(line):
        return line
    left = 4 * room
    for place, character in enumerate(line):
        left -= cost(character)
        if left < 0:
            return line[: max(place - 3, 0)].rstrip() + "…"
    return line


def cost(text: str) -> int:
    """How many bytes a text takes in HTML that is quoted-printable (RFC 2045 section 6.7)."""
    if text.isascii():
        return len(text) + 2 * text.count("=") + 6 * sum(map(text.count, _ESCAPED))
    return sum(
        cost(each) if each.isascii() else 3 * len(each.encode(errors="replace")) for each in text
    )


def count(number: int, noun: str, plural: str = "") -> str:
    """A number of things: `1 company`, `3 companies`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def joined(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def fold(text: str, indent: int = 0) -> str:
    """Text in lines of at most 72 columns, all but the first indented; long words stay whole."""
    if len(text) <= COLUMNS - indent and not text.startswith(" "):
        return text
    margin = " " * indent
    lines, line = [], ""
    for word in text.split(" "):
        if line and len(line) + len(word) >= COLUMNS - indent:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    lines.append(line)
    return f"\n{margin}".join(lines)
