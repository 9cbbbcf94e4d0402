"""The return path of an email: its envelope sender, where bounces go, signed (VERP).

`bounces+<email id>-<signature>@alerts.example`: a bounce says by its recipient which email came
back, and whoever does not know the key cannot make one up. Mail servers may change the case of
addresses, so the signature is base32 in one case. What a bounce does is `bounces`.
"""

import base64
import re

from django.utils.crypto import constant_time_compare

from integration_alerts.directory.ids import LARGEST_ID
from integration_alerts.mail.signatures import signature

_SALT = "integration_alerts.return_path"
_SIGNATURE_LENGTH = 20  # base32 characters: 100 bits
_SIGNATURE_BYTES = 15  # of which no less may be encoded: base32 takes five at a time
_TOKEN = re.compile(r"([1-9][0-9]{0,18})-([a-z2-7]{20})", re.ASCII)

LONGEST_NAME = 64 - len(f"+{LARGEST_ID}-") - _SIGNATURE_LENGTH
"""How long the part of `BOUNCE_ADDRESS` before the @ may be (RFC 5321 4.5.3.1.1: 64 in all)."""


def return_path(email_id: int, bounce_address: str) -> str:
    """The envelope sender of this email, below the address that takes bounces."""
    name, _, domain = bounce_address.rpartition("@")
    return f"{name}+{token(email_id)}@{domain}"


def read_return_path(address: str) -> int | None:
    """The id of the email that was sent with this return path; None if we did not sign it."""
    return read_token(address.rpartition("@")[0].rpartition("+")[2])


def token(email_id: int) -> str:
    """`<email id>-<signature>`: names an email to outsiders who will speak of it later."""
    return f"{email_id}-{_signature(email_id)}"


def read_token(text: str) -> int | None:
    """The email id in a token; None if we did not sign it."""
    match = _TOKEN.fullmatch(text.lower())
    if match is None:
        return None
    email_id = int(match[1])
    genuine = constant_time_compare(match[2], _signature(email_id))
    return email_id if genuine and email_id <= LARGEST_ID else None


def _signature(email_id: int) -> str:
    digest = signature(_SALT, str(email_id))
    return base64.b32encode(digest[:_SIGNATURE_BYTES]).decode()[:_SIGNATURE_LENGTH].lower()
