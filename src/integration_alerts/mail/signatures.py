"""Signatures of the tokens in mails: Django's `salted_hmac` by SHA-256, its key derived once.

Thousands of mails are signed with the same few keys. What a token says is its own module's.
"""

import hmac
from functools import lru_cache
from hashlib import sha256

from django.conf import settings


def signature(salt: str, text: str) -> bytes:
    """What `salted_hmac(salt, text, algorithm="sha256").digest()` is."""
    keyed = _keyed(salt, settings.SECRET_KEY).copy()
    keyed.update(text.encode())
    return keyed.digest()


@lru_cache(maxsize=16)
def _keyed(salt: str, secret: str) -> hmac.HMAC:
    return hmac.new(sha256(f"{salt}{secret}".encode()).digest(), digestmod=sha256)
