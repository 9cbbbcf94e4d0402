"""Hands emails to an email service (ESP) through django-anymail.

Needs the extra `esp` (`esp_url.missing_extra`). Decides nothing about retries and keeps no queue:
one call is one attempt. What the services' webhooks say comes back another way.
"""

import threading
import warnings
from collections.abc import Callable
from typing import Any

from django.utils.module_loading import import_string

from integration_alerts.mail.esp_url import Esp
from integration_alerts.mail.esps import API_URL
from integration_alerts.mail.mailers import OneByOne, Parcel, always, identity
from integration_alerts.rules.retry import Answer, Phase

_SES_CONNECTION = {"retries": {"max_attempts": 0}, "connect_timeout": 10, "read_timeout": 30}


class EspMailer(OneByOne):
    """An email service, with as many kept-open connections as threads were sending at once."""

    probes_by_sending = True  # no service says in one way for all whether it would take an email

    def __init__(self, esp: Esp) -> None:
        """Connect to nothing yet."""
        self._esp = esp
        self._secrets = [value for value in esp.settings.values() if len(value) > 7]
        self._lock = threading.Lock()
        self._idle: list[Any] = []
        self._closed = False
        self._backend: Callable[[], Any] = _backend(esp)

    @property
    def name(self) -> str:
        """The service, and a digest of how it is used."""
        return identity(self._esp.place, *sorted(f"{k}={v}" for k, v in self._esp.settings.items()))

    def send(
        self,
        parcel: Parcel,
        still_wanted: Callable[[], bool] = always,  # noqa: ARG002 (no time passes before it begins)
    ) -> Answer:
        """Try once to hand one email over; the services have return paths of their own."""
        from anymail.exceptions import AnymailError

        from integration_alerts.mail.esp_answers import accepted, refused
        from integration_alerts.mail.esp_message import as_anymail

        kind = self._esp.kind
        backend = self._take()
        try:
            made = as_anymail(parcel.message, parcel.recipient, kind, parcel.reference)
            backend.open()
            backend.send_messages([made])
        except AnymailError as error:
            return refused(kind, error, self._secrets)
        finally:
            self._give_back(backend)
        status = made.anymail_status  # type: ignore[attr-defined]
        http_status = getattr(status.esp_response, "status_code", None)
        return accepted(kind, status.recipients, http_status)

    def check(self) -> Answer:
        """Nothing can be said without sending."""
        return Answer(Phase.CONNECT, None, "only an email shows whether the service takes ours")

    def close(self) -> None:
        """Close the connections that are not in use; the others are closed when they are."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for backend in idle:
            backend.close()

    def _take(self) -> Any:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return self._backend()

    def _give_back(self, backend: Any) -> None:
        with self._lock:
            if not self._closed:
                self._idle.append(backend)
                return
        backend.close()


def _backend(esp: Esp) -> Callable[[], Any]:
    """How to make a connection."""
    module = esp.kind.backend
    backend = import_string(f"anymail.backends.{module}.EmailBackend")
    options = _ses_options(esp) if module == "amazon_ses" else _options(esp)

    def make() -> Any:
        with warnings.catch_warnings():
            # django-anymail tests SendGrid no longer; the documentation says so.
            warnings.simplefilter("ignore")
            return backend(**options)

    return make


def _options(esp: Esp) -> dict[str, Any]:
    return {k: v for k, v in esp.settings.items() if k not in esp.kind.webhook_settings}


def _ses_options(esp: Esp) -> dict[str, Any]:
    """Without a key, boto3 looks for credentials where it always does."""
    names = {
        "region_name": "region_name", API_URL: "endpoint_url",
        "access_key_id": "aws_access_key_id", "secret_access_key": "aws_secret_access_key",
    }  # fmt: skip
    client = {names[name]: value for name, value in esp.settings.items() if name in names}
    options: dict[str, Any] = {"client_params": {**client, "config": _SES_CONNECTION}}
    if "configuration_set_name" in esp.settings:
        options["configuration_set_name"] = esp.settings["configuration_set_name"]
    return options
