"""Lines of 72 columns for the text part of mails; nothing here escapes, as text is not HTML."""

from django import template

from integration_alerts.mail import text
from integration_alerts.mail.content import Fact

register = template.Library()
_LABEL = 14


@register.filter
def fold(words: str, indent: int = 0) -> str:
    """Words in lines, all but the first indented."""
    return text.fold(words, indent)


@register.filter
def row(fact: Fact) -> str:
    """A label and its value, as in a table."""
    return f"{fact.label + ':':{_LABEL}}{text.fold(fact.value, _LABEL)}"


@register.filter
def underlined(heading: str) -> str:
    """A heading."""
    return f"{heading}\n{'-' * min(len(heading), text.COLUMNS)}"
