"""Whether a text is one e-mail address that mail can be sent to (RFC 5321, RFC 6531)."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

MAX_LENGTH = 254  # RFC 5321 section 4.5.3.1.3, without the angle brackets
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f<>(),;:\\\"\[\]\u2028\u2029]")


def is_address(text: str) -> bool:
    """Whether this is one plain address; internationalised ones are fine, quoted ones are not."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_LENGTH or _FORBIDDEN.search(text):
        return False
    local, at, domain = text.rpartition("@")
    if not at or not local or len(local.encode()) > 64 or "@" in local:
        return False
    # The local part may be Unicode (RFC 6531), which Django's validator does not know.
    plain_local = "".join(character if character.isascii() else "x" for character in local)
    try:
        validate_email(f"{plain_local}@{domain}")
        domain.encode("idna")
    except (ValidationError, UnicodeError):
        return False
    return True
