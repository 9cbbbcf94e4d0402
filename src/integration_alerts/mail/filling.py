"""The two parts of a mail, filled from its content: HTML, where everything is escaped, and text.

Decides nothing that is said. Templates are compiled once a process; a name that a template does not
find in the content is an error.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, select_autoescape

from integration_alerts.mail import text
from integration_alerts.mail.content import Content, Fact

_FOLDER = Path(__file__).parent / "templates" / "mail"
_FILLED = re.compile(r"\{[{%#]")
_LABEL = 14  # columns of a label in the text part


@dataclass(frozen=True, slots=True)
class Parts:
    """A mail as a reader sees it."""

    subject: str
    text: str
    html: str


def parts(said: Content) -> Parts:
    """What the two parts say, before they are encoded."""
    plain = _template("letter.txt").render(mail=said, body=said.body)
    html = _template("letter.html").render(mail=said, body=said.body)
    return Parts(said.subject, f"{_one_gap(plain)}\n", html.strip())


def fixed_lines() -> list[str]:
    """The lines of the HTML that are the same in all mails: a third of it."""
    lines = (_FOLDER / "letter.html").read_text().split("\n")
    return [line for line in lines if not _FILLED.search(line)]


def _one_gap(plain: str) -> str:
    """Text with one empty line wherever it has several, and none at its ends."""
    while "\n\n\n" in plain:
        plain = plain.replace("\n\n\n", "\n\n")
    return plain.strip()


def _row(fact: Fact) -> str:
    """A label and its value, as in a table."""
    return f"{fact.label + ':':{_LABEL}}{text.fold(fact.value, _LABEL)}"


def _underlined(heading: str) -> str:
    return f"{heading}\n{'-' * min(len(heading), text.COLUMNS)}"


class _Environment(Environment):
    # What a template names is an attribute of the content. Jinja's own way tries keys as well.
    getattr = staticmethod(getattr)  # type: ignore[assignment]


@cache
def _template(name: str) -> Template:
    environment = _Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        auto_reload=False,
    )
    environment.filters |= {"fold": text.fold, "row": _row, "underlined": _underlined}
    return environment.get_template(name)
