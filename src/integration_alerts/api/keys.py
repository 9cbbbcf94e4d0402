"""Who may ask what of the API: keys are made by `integration-alerts apikey create`."""

import time
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from ninja.security import HttpBearer

from integration_alerts.directory.keys import LiveKey, digest, find_keys
from integration_alerts.directory.sharing import Shared
from integration_alerts.engine.operators import may_operate
from integration_alerts.engine.retrying import is_away

_SMALL_BYTES = 16_384
_FAMILIAR_SECONDS = 60
_MOST_FAMILIAR = 10_000

# Looked up for each request, so that a revoked key opens nothing from the next one on.
_keys = Shared(find_keys, most=100, concerns_all=is_away)
# Until when a key counts as known, by its digest. No more than a hint: whose key is revoked while
# they hold threads by sending slowly are strangers again within that time.
_familiar: dict[bytes, float] = {}


class BearerKey(HttpBearer):
    """`Authorization: Bearer ia_…`."""

    def __init__(self, *, leaves_small: bool = False) -> None:
        """`leaves_small`: whether `may_be_left` counts: then the token is handed on as it is."""
        super().__init__()
        self._leaves_small = leaves_small

    def authenticate(self, request: HttpRequest, token: str) -> LiveKey | str | None:
        """The live key behind the token, or a token that is to be looked up later."""
        if self._leaves_small and may_be_left(request.META, token):
            return token
        return look_up(token)


def may_be_left(environ: Mapping[str, Any], token: str) -> bool:
    """Whether a key's look-up may be left to whoever does the work of its request.

    One look-up then serves all requests that are dealt with together. The body is read before it,
    for which a thread waits, so this is for small ones with keys that were live lately.
    """
    length = environ.get("CONTENT_LENGTH", "")
    return (
        length.isdecimal()
        and int(length) <= _SMALL_BYTES
        and "HTTP_TRANSFER_ENCODING" not in environ  # which would count instead of the length
        and _familiar.get(digest(token), 0) > time.monotonic()
    )


def look_up(token: str) -> LiveKey | None:
    """The live key behind a token."""
    found = _keys.take(token, 1)
    if found is None:
        forget(token)
    else:
        if len(_familiar) >= _MOST_FAMILIAR:
            _familiar.clear()
        _familiar[digest(token)] = time.monotonic() + _FAMILIAR_SECONDS
    return found


def forget(token: str) -> None:
    """Note that a key opens nothing any more."""
    _familiar.pop(digest(token), None)


class PlatformKey(BearerKey):
    """A platform key; a key of one account opens nothing here."""

    def authenticate(self, request: HttpRequest, token: str) -> LiveKey | None:  # noqa: ARG002
        """The platform key behind the token."""
        key = look_up(token)
        return key if key is not None and key.account is None else None


class PlatformKeyOrOperator(PlatformKey):
    """A platform key, or an operator's session; in a demo also anybody on this machine."""

    def __call__(self, request: HttpRequest) -> object | None:
        """Whoever may look into the inbox."""
        return True if may_operate(request) else super().__call__(request)
