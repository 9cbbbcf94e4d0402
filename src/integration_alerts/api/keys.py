"""Who may ask what of the API: keys are made by `integration-alerts apikey create`."""

from django.http import HttpRequest
from ninja.security import HttpBearer

from integration_alerts.directory.keys import LiveKey, find_keys
from integration_alerts.directory.sharing import Shared
from integration_alerts.engine.operators import may_operate
from integration_alerts.engine.retrying import is_away

# Looked up for each request, so that a revoked key opens nothing from the next one on.
_keys = Shared(find_keys, most=100, concerns_all=is_away)


class BearerKey(HttpBearer):
    """`Authorization: Bearer ia_…`."""

    def authenticate(self, request: HttpRequest, token: str) -> LiveKey | None:  # noqa: ARG002
        """The live key behind the token."""
        return _keys.take(token, 1)


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
