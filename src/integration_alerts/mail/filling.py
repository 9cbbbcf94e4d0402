"""The two parts of a mail, filled from its content: HTML, where everything is escaped, and text.

Decides nothing that is said. The HTML comes out in quoted-printable: what is the same in all mails
is encoded once a process, which is most of it. A name that the content does not have is an error.
"""

import re
from binascii import a2b_qp, b2a_qp
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import escape

from integration_alerts.mail import text
from integration_alerts.mail.content import Content, Fact

_FOLDER = Path(__file__).parent / "templates" / "mail"
_LABEL = 14  # columns of a label in the text part
_SOFT = "=\r\n"
# RFC 2045 section 6.7: 76 columns, of which a soft line break takes one. It cuts no `=3D`.
_PIECES = re.compile(r".{1,75}(?<!=)(?<!=[0-9A-F])")
_IS_PLAIN = re.compile(r"[ !#$%()*+,\-./0-9:;?@A-Z\[\\\]^_`a-z{|}~]{1,75}").fullmatch


@dataclass(frozen=True, slots=True)
class Parts:
    """A mail as a reader sees it."""

    subject: str
    text: str
    html: str


def parts(said: Content) -> Parts:
    """What the two parts say, before they are encoded."""
    return Parts(
        said.subject, plain(said), a2b_qp(quoted_html(said)).decode().replace("\r\n", "\n")
    )


def plain(said: Content) -> str:
    """The text part; its lines have no carriage return yet."""
    filled = _template("letter.txt").render(mail=said, body=said.body)
    while "\n\n\n" in filled:
        filled = filled.replace("\n\n\n", "\n\n")
    return f"{filled.strip()}\n"


def quoted_html(said: Content) -> bytes:
    """The HTML part in quoted-printable; its last line has no end."""
    filled = _template("letter.html").render(mail=said, body=said.body)
    return filled.removesuffix(_SOFT).encode("ascii")


def quoted(line: str) -> str:
    """A line, or a part of one, in quoted-printable (RFC 2045 section 6.7), cut by soft breaks."""
    # The stand-in for what follows keeps a space at the end from being encoded.
    encoded = b2a_qp(f"{line}|".encode()).decode().replace("=\n", "")[:-1]
    return encoded if len(encoded) < 76 else _SOFT.join(_PIECES.findall(encoded))


def _value(value: object) -> str:
    return _line(str(value))


@lru_cache(maxsize=10_000)  # most of what mails say, they say again
def _line(words: str) -> str:
    """What a template puts out, escaped and encoded: a line of its own, ended by a soft break.

    So neither this nor what follows depends on where in a line the other ends.
    """
    if _IS_PLAIN(words):
        return f"{words}{_SOFT}"
    return f"{quoted(str(escape(words)))}{_SOFT}" if words else ""


class _Quoting(Extension):
    """Encodes the words of a template itself when it is compiled."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        """The same tokens, with text in quoted-printable."""
        for token in stream:
            if token.type != "data":
                yield token
                continue
            *whole, rest = (quoted(line) for line in token.value.split("\n"))
            data = "".join(f"{line}\r\n" for line in whole) + (rest and f"{rest}{_SOFT}")
            yield Token(token.lineno, token.type, data)


class _Environment(Environment):
    # What a template names is an attribute of the content. Jinja's own way tries keys as well.
    getattr = staticmethod(getattr)  # type: ignore[assignment]


def _row(fact: Fact) -> str:
    """A label and its value, as in a table."""
    return f"{fact.label + ':':{_LABEL}}{text.fold(fact.value, _LABEL)}"


def _underlined(heading: str) -> str:
    return f"{heading}\n{'-' * min(len(heading), text.COLUMNS)}"


@cache
def _template(name: str) -> Template:
    html = name.endswith(".html")
    environment = _Environment(
        loader=FileSystemLoader(_FOLDER),
        undefined=StrictUndefined,
        auto_reload=False,
        # Instead of `autoescape`: all that a template puts out goes through `_value`.
        finalize=_value if html else None,
        extensions=[_Quoting] if html else [],
    )
    environment.globals.clear()
    environment.filters |= {"fold": text.fold, "row": _row, "underlined": _underlined}
    return environment.get_template(name)
