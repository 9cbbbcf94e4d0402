"""Links in mails, of which some come from outside."""

import re

from django.utils.encoding import iri_to_uri
from msgspec import Struct

from integration_alerts.mail.text import cost

_IS_URI = re.compile(r"[A-Za-z0-9/#%\[\]=:;$&()+,!?*@'~_.\-]+").fullmatch


class Link(Struct, frozen=True):
    """Where to go, and the words that say so."""

    words: str
    url: str


def fix_link(url: str, room: int) -> str:
    """A platform's link in ASCII; empty if it is none for a browser, or takes too many bytes."""
    if not url.startswith(("https://", "http://")):
        return ""
    ascii_url = url if _IS_URI(url) else iri_to_uri(url)
    return ascii_url if ascii_url and cost(ascii_url) <= room else ""
