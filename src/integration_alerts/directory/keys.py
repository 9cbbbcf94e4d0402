"""API keys: made once, shown once, stored as a digest, looked up by it."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime

from integration_alerts.directory.models import Account, ApiKey

PREFIX = "ia_"


def create_key(name: str, account: Account | None, now: datetime) -> str:
    """Make a key and return its secret, which is nowhere else; None as account: a platform key."""
    # 256 random bits: nothing to guess, so a plain digest is enough and lookup stays one index hit.
    secret = PREFIX + secrets.token_urlsafe(32)
    ApiKey.objects.create(account=account, name=name, digest=_digest(secret), created_at=now)
    return secret


def find_key(secret: str) -> ApiKey | None:
    """The live key with this secret, with its account; None when there is none or it is revoked."""
    return (
        ApiKey.objects.select_related("account")
        .filter(digest=_digest(secret), revoked_at=None)
        .first()
    )


def revoke_keys(keys: Iterable[ApiKey], now: datetime) -> None:
    """Lock out whoever uses these keys, from the next request on; there is no way back."""
    live = ApiKey.objects.filter(pk__in=[key.pk for key in keys], revoked_at=None)
    live.update(revoked_at=now)


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
