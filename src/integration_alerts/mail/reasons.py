"""Why an integration is in its state, in plain words, from the code that the platform reports.

Platforms pass on the codes of OAuth 2.0 (RFC 6749 section 5.2, RFC 6750 section 3.1), of HTTP, and
their own. A code that is not known is shown as it is. The same words stand on the pages.
"""

import re
from functools import lru_cache

from integration_alerts.mail.text import one_line

EXPIRED_SIGN_IN = "Its sign-in has expired."
REVOKED_KEY = "Its key was revoked."
NO_PERMISSION = "A permission is missing."
RATE_LIMIT = "It was used more often than the provider allows."
NOT_FOUND = "What it is connected to was not found."
PROVIDER_DOWN = "The provider reports an error of its own."
NO_ANSWER = "The provider did not answer in time."

_CODES = {
    EXPIRED_SIGN_IN: """
        expired expired_login login_expired expired_token token_expired access_token_expired
        refresh_token_expired expired_access_token expired_refresh_token session_expired
        expired_session sign_in_expired signin_expired auth_expired authentication_expired
        authorization_expired credentials_expired expired_credentials oauth_expired
        invalid_grant invalid_token invalid_access_token invalid_refresh_token refresh_failed
        token_refresh_failed refresh_token_error reauth_required reauthentication_required
        reauthorization_required reauthorize login_required interaction_required
        needs_reconnect reconnect_required auth_error authentication_error
        authentication_failed auth_failed authentication_required unauthorized unauthenticated
        not_authenticated 401""",
    REVOKED_KEY: """
        revoked key_revoked revoked_key api_key_revoked revoked_api_key token_revoked
        revoked_token access_revoked consent_revoked authorization_revoked
        credentials_revoked invalid_key invalid_api_key api_key_invalid api_key_expired
        key_expired expired_key api_key_deleted key_deleted app_uninstalled invalid_client
        invalid_credentials bad_credentials""",
    NO_PERMISSION: """
        permission permissions missing_permission missing_permissions permission_missing
        permission_denied permission_error insufficient_permission insufficient_permissions
        insufficient_privileges insufficient_scope missing_scope missing_scopes
        invalid_scope scope_missing access_denied not_authorized not_permitted
        not_allowed forbidden 403""",
    RATE_LIMIT: """
        rate_limit rate_limited rate_limit_error rate_limit_exceeded rate_limit_reached
        ratelimit ratelimited too_many_requests throttled throttling throttling_error
        throttling_exception quota quota_exceeded limit_exceeded slow_down 429""",
    NOT_FOUND: """
        not_found resource_not_found object_not_found account_not_found page_not_found
        endpoint_not_found no_such_resource no_such_account does_not_exist missing_resource
        resource_missing resource_deleted deleted gone 404 410""",
    PROVIDER_DOWN: """
        server_error internal_error internal_server_error provider_error upstream_error
        api_error bad_gateway service_unavailable unavailable temporarily_unavailable
        provider_unavailable provider_down outage maintenance 500 501 502 503""",
    NO_ANSWER: """
        timeout timed_out request_timeout gateway_timeout connection_timeout connect_timeout
        read_timeout timeout_error connection_timed_out etimedout deadline_exceeded no_response
        408 504""",
}
_SENTENCES = {code: sentence for sentence, codes in _CODES.items() for code in codes.split()}
_SPELLING = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_NOISE = re.compile(r"^(?:(?:https?|status|code|error|err)_)+|_error$")


@lru_cache(maxsize=1024)
def plain(code: str) -> str:
    """A code as a sentence; empty if it is not a common one.

    `TOKEN-EXPIRED`, `TokenExpired` and `error.token_expired` are the same as `token_expired`.
    """
    spelled = _SPELLING.sub("_", code.strip()).strip("_").lower()
    found = _SENTENCES.get(spelled)
    return found if found is not None else _SENTENCES.get(_NOISE.sub("", spelled), "")


def reported(code: str, message: str) -> str:
    """What the platform reported, beyond what `plain` says: its message, and an unknown code."""
    sentence, said, name = plain(code), one_line(message), one_line(code)
    if sentence:
        return "" if _same(said, sentence) else said
    if said and name and not _same(said, name):
        return f"{said} ({name})"
    return said or name


def reason(code: str, message: str) -> str:
    """All of it in one line; empty when nothing was reported."""
    return " ".join(filter(None, (plain(code), reported(code, message))))


def _same(one: str, other: str) -> bool:
    return one.rstrip(".").casefold() == other.rstrip(".").casefold()
