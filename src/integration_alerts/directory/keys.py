"""API keys: made once, shown once, stored as a digest, looked up by it."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from integration_alerts.directory.columns import array
from integration_alerts.directory.models import Account, ApiKey
from integration_alerts.directory.statements import fetch

PREFIX = "ia_"


class LiveKey(NamedTuple):
    """A key that is not revoked."""

    account: str | None
    """The account that it is bound to, by the platform's id; None: a platform key."""


def create_key(name: str, account: Account | None, now: datetime) -> str:
    """Make a key and return its secret, which is nowhere else; None as account: a platform key."""
    # 256 random bits: nothing to guess, so a plain digest is enough and lookup stays one index hit.
    secret = PREFIX + secrets.token_urlsafe(32)
    ApiKey.objects.create(account=account, name=name, digest=digest(secret), created_at=now)
    return secret


def find_key(secret: str) -> LiveKey | None:
    """The live key with this secret; None when there is none or it is revoked."""
    return find_keys([secret])[0]


def find_keys(secrets: Sequence[str]) -> list[LiveKey | None]:
    """The live key with each secret, as `find_key` finds one; one statement."""
    digests = [digest(secret) for secret in secrets]
    rows = fetch(_LIVE, [array("\\x" + each.hex() for each in set(digests))])
    live = {each: LiveKey(account) for each, account in rows}
    return [live.get(each) for each in digests]


def revoke_keys(keys: Iterable[ApiKey], now: datetime) -> None:
    """Lock out whoever uses these keys, from the next request on; there is no way back."""
    live = ApiKey.objects.filter(pk__in=[key.pk for key in keys], revoked_at=None)
    live.update(revoked_at=now)


def digest(secret: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


_LIVE = """
SELECT key.digest, account.external_id
FROM api_key AS key LEFT JOIN account ON account.id = key.account_id
WHERE key.digest = ANY(%s::bytea[]) AND key.revoked_at IS NULL"""
