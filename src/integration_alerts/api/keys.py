"""Who may ask what of the API: keys are made by `integration-alerts apikey create`."""

from django.http import HttpRequest
from ninja.errors import AuthenticationError
from ninja.security import HttpBearer

from integration_alerts.directory.keys import LiveKey, find_keys
from integration_alerts.directory.sharing import Shared
from integration_alerts.engine.operators import may_operate
from integration_alerts.engine.retrying import is_away

_SMALL_BYTES = 16_384  # a body of so many is read before its key is looked up

# Looked up for each request, so that a revoked key opens nothing from the next one on.
_keys = Shared(find_keys, most=100, concerns_all=is_away)


class BearerKey(HttpBearer):
    """`Authorization: Bearer ia_…`."""

    def authenticate(self, request: HttpRequest, token: str) -> LiveKey | None:  # noqa: ARG002
        """The live key behind the token."""
        return _keys.take(token, 1)


class KeyOfSmallRequest(BearerKey):
    """`Authorization: Bearer ia_…`; that of a small request is left to whoever does its work.

    One look-up then serves all requests that are dealt with together.
    """

    def authenticate(self, request: HttpRequest, token: str) -> LiveKey | str | None:  # type: ignore[override]
        """The live key behind the token, or the token itself."""
        length = request.META.get("CONTENT_LENGTH", "")
        if length.isdecimal() and int(length) <= _SMALL_BYTES:
            return token
        return super().authenticate(request, token)


def account_of(key: LiveKey | str) -> str | None:
    """The account that a request's key is bound to; raises AuthenticationError if it is none."""
    found = _keys.take(key, 1) if isinstance(key, str) else key
    if found is None:
        raise AuthenticationError
    return found.account


class PlatformKey(BearerKey):
    """A platform key; a key of one account opens nothing here."""

    def authenticate(self, request: HttpRequest, token: str) -> LiveKey | None:
        """The platform key behind the token."""
        key = super().authenticate(request, token)
        return key if key is not None and key.account is None else None


class PlatformKeyOrOperator(PlatformKey):
    """A platform key, or an operator's session; in a demo also anybody on this machine."""

    def __call__(self, request: HttpRequest) -> object | None:
        """Whoever may look into the inbox."""
        return True if may_operate(request) else super().__call__(request)
