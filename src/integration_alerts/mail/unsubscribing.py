"""The link by which a recipient unsubscribes: signed, so that nobody else's can be guessed.

It has no expiry: a mail may be opened years later. What it does is the page's business (R19).
"""

from django.core.signing import BadSignature, Signer, b64_encode

from integration_alerts.directory.ids import LARGEST_ID
from integration_alerts.mail.signatures import signature

_SALT = "integration_alerts.unsubscribe"
_SEPARATOR = "."  # the default, a colon, is percent-encoded by some mail programs


def unsubscribe_url(public_url: str, member_id: int) -> str:
    """The address that pauses this member's alert; also what RFC 8058 asks to be posted to."""
    signed = b64_encode(signature(f"{_SALT}signer", str(member_id))).decode()
    return f"{public_url}/unsubscribe/{member_id}{_SEPARATOR}{signed}"


def read_token(token: str) -> int | None:
    """The member id in the last part of such an address; None if we did not sign it."""
    try:
        member_id = int(_signer().unsign(token))
    except (BadSignature, ValueError):
        return None
    return member_id if 0 < member_id <= LARGEST_ID else None


def _signer() -> Signer:
    return Signer(salt=_SALT, sep=_SEPARATOR)
