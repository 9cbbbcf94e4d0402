"""What an email service said, as the answer of a mail server (`rules.retry.Answer`).

The codes are those that an SMTP server would give for the same (RFC 5321 section 4.2.3), so that
one rule judges both; the service's own status and words are in the text.
"""

from collections.abc import Collection, Mapping
from typing import Any

import requests
import urllib3.exceptions
from anymail.exceptions import (
    AnymailError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailSerializationError,
    AnymailUnsupportedFeature,
)

from integration_alerts.mail.esps import EspKind
from integration_alerts.mail.smtp_words import one_line
from integration_alerts.rules.retry import Answer, Phase

# The key, the account or the address of the API: no email would fare better.
_ABOUT_THE_SIGN_IN = frozenset({401, 402, 403, 404, 405, 407})
_ABOUT_THE_EMAIL = frozenset({400, 413, 422})
# Somebody in between gave up: the service may have taken the email over.
_UNKNOWN = frozenset({500, 502, 504})

_OK, _LATER, _SIGN_IN_REFUSED = 250, 451, 535
_REFUSED, _BAD_ADDRESS, _FAILED = 550, 553, 554

# botocore's names, which is not installed everywhere.
_NOT_CONNECTED = frozenset({"EndpointConnectionError", "ConnectTimeoutError"})
_NO_CREDENTIALS = frozenset(
    {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "NoRegionError"}
)


def accepted(kind: EspKind, recipients: Mapping[str, Any], http_status: int | None) -> Answer:
    """The answer when the service returned normally; it says what becomes of each recipient."""
    # One recipient; a service that writes its address another way gives two entries.
    status = min(recipients.values(), key=lambda entry: entry.status not in ("sent", "queued"))
    remote_id = str(status.message_id or "")
    match status.status:
        case "rejected" | "invalid":
            return Answer(Phase.RECIPIENT, _REFUSED, f"{kind.title}: {status.status}")
        case "failed":
            return Answer(Phase.ACCEPTANCE, _LATER, f"{kind.title}: failed")
        case None | "unknown" if http_status is not None and http_status // 100 != 2:
            return Answer(Phase.ACCEPTANCE, _LATER, f"{kind.title}: HTTP {http_status}")
        case words:
            return Answer(Phase.ACCEPTANCE, _OK, f"{kind.title}: {words}", remote_id)


def refused(kind: EspKind, error: AnymailError, secrets: Collection[str]) -> Answer:
    """The answer when django-anymail raised this; its words are free of `secrets`."""
    match error:
        case AnymailRecipientsRefused():
            return Answer(Phase.RECIPIENT, _REFUSED, f"{kind.title} refuses the recipient")
        case AnymailInvalidAddress():
            return Answer(Phase.RECIPIENT, _BAD_ADDRESS, one_line(_said(error), secrets))
        case AnymailUnsupportedFeature() | AnymailSerializationError():
            return Answer(Phase.DATA, _FAILED, one_line(_said(error), secrets))
    http_status, code, words = _answered(error)
    text = one_line(f"{kind.title}: {words}", secrets)
    if http_status is None:
        return _unanswered(error, text)
    return _judged(kind, http_status, code, text)


def _judged(kind: EspKind, http_status: int, code: str, text: str) -> Answer:
    if http_status in _ABOUT_THE_SIGN_IN or code in kind.about_the_account:
        return Answer(Phase.AUTH, _SIGN_IN_REFUSED, text)
    if http_status in _ABOUT_THE_EMAIL or (http_status // 100 == 2 and code):
        return Answer(Phase.DATA, _FAILED, text)
    if http_status in _UNKNOWN or http_status // 100 == 2:
        return Answer(Phase.ACCEPTANCE, None, text)
    return Answer(Phase.ACCEPTANCE, _LATER, text)


def _unanswered(error: AnymailError, text: str) -> Answer:
    cause = error.__cause__
    name = type(cause).__name__
    if isinstance(cause, requests.exceptions.SSLError) or name == "SSLError":
        return Answer(Phase.TLS, None, text)
    if name in _NO_CREDENTIALS:
        return Answer(Phase.AUTH, None, text)
    if name in _NOT_CONNECTED or isinstance(cause, requests.exceptions.ConnectTimeout):
        return Answer(Phase.CONNECT, None, text)
    if isinstance(cause, requests.exceptions.ConnectionError) and _never_connected(cause):
        return Answer(Phase.CONNECT, None, text)
    return Answer(Phase.ACCEPTANCE, None, text)


def _never_connected(cause: requests.exceptions.ConnectionError) -> bool:
    (reason,) = cause.args or (None,)
    if isinstance(reason, urllib3.exceptions.MaxRetryError):
        reason = reason.reason
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _answered(error: AnymailError) -> tuple[int | None, str, str]:
    """The HTTP status (None: no answer), the service's own code, and words for people."""
    response = error.response
    if isinstance(response, Mapping):  # Amazon SES
        said = response.get("Error", {})
        status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return status, str(said.get("Code", "")), f"{said.get('Code')}: {said.get('Message')}"
    if response is None:
        return None, "", f"no answer: {_said(error)}"
    return (
        response.status_code, _own_code(response), f"HTTP {response.status_code}: {response.text}"
    )  # fmt: skip


def _own_code(response: requests.Response) -> str:
    try:
        said = response.json()
    except ValueError:
        return ""
    if not isinstance(said, dict):
        return ""
    errors, data = said.get("errors"), said.get("data")
    places = [said, data] + (errors[:1] if isinstance(errors, list) else [])
    for place in places:
        for key in ("ErrorCode", "name", "code"):
            if isinstance(place, dict) and place.get(key):
                return str(place[key])
    return ""


def _said(error: AnymailError) -> str:
    cause = error.__cause__
    if cause is None:
        return " ".join(str(argument) for argument in error.args)
    return f"{type(cause).__name__}: {cause}"
