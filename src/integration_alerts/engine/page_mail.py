"""Mails that the pages send: plain text, and the same as simple HTML.

The text is what is written; a paragraph `Words:` and an address on the next line becomes a button.
"""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A part of a mail: text, or a button when it has an address."""

    text: str
    url: str = ""


def public_address(path: str) -> str:
    """An address in a mail: begins with PUBLIC_URL, whatever the request said."""
    return f"{settings.CONFIGURATION.public_url}{path}"


def page_mail(template: str, recipient: str, context: dict[str, Any]) -> EmailMultiAlternatives:
    """A mail from `<template>_subject.txt` and `<template>_message.txt`."""
    subject = " ".join(render_to_string(f"{template}_subject.txt", context).split())
    subject = subject.replace("=?", "= ?")  # what looks like an encoded word (RFC 2047) is not one
    text = render_to_string(f"{template}_message.txt", context).strip()
    mail = EmailMultiAlternatives(subject, f"{text}\n", to=[recipient])
    html = render_to_string("engine/page_mail.html", {"subject": subject, "parts": _parts(text)})
    mail.attach_alternative(html, "text/html")
    return mail


def _parts(text: str) -> list[Paragraph]:
    parts = []
    for paragraph in text.split("\n\n"):
        lines = [line.strip() for line in paragraph.strip().splitlines()]
        if len(lines) > 1 and lines[-1].startswith(("https://", "http://")):
            parts.append(Paragraph(" ".join(lines[:-1]).removesuffix(":"), lines[-1]))
        elif lines:
            parts.append(Paragraph(" ".join(lines)))
    return parts
