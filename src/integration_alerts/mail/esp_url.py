"""Reads an EMAIL_URL that names an email service: `<service>://<key>@<domain>?<setting>=<value>`.

Connects to nothing. As in `email_url`, no error repeats a part of the URL but the name of a known
service or setting.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import NoReturn
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from integration_alerts.mail.esps import API_URL, ESPS, EspKind

_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*(:[0-9]{1,5})?")


class EspUrlError(ValueError):
    """The URL cannot be used; the message is one line and free of secrets."""


@dataclass(frozen=True, slots=True)
class Esp:
    """An email service and how to sign in to it."""

    scheme: str
    settings: Mapping[str, str] = field(repr=False)
    """By django-anymail's names, in small letters and without the service's own name."""

    @property
    def kind(self) -> EspKind:
        """What is peculiar about the service."""
        return ESPS[self.scheme]

    @property
    def place(self) -> str:
        """Where it is, for people."""
        api_url = urlsplit(self.settings.get(API_URL, "")).netloc
        return f"{self.kind.title} at {api_url}" if api_url else self.kind.title

    def anymail_settings(self) -> dict[str, str]:
        """What Django's setting ANYMAIL has to hold, for the service's webhooks."""
        prefix = self.kind.backend.upper()
        return {f"{prefix}_{name.upper()}": value for name, value in self.settings.items()}


def form(scheme: str) -> str:
    """What a URL for this service looks like."""
    kind = ESPS[scheme]
    user = f"<{kind.user}>" + (f":<{kind.password}>" if kind.password else "")
    elsewhere = sorted(kind.required - {kind.user, kind.password, kind.host})
    query = "&".join(f"{name}=<{name}>" for name in elsewhere)
    host = {"": "", API_URL: "<host>"}.get(kind.host, f"<{kind.host}>")
    return f"{scheme}://{user}@{host}" + (f"?{query}" if query else "")


def parse_esp_url(url: str) -> Esp:
    """Read the URL of a service in `ESPS`; key and settings are percent-decoded.

    Raises:
        EspUrlError: A part is missing, unknown, or cannot be read.
    """
    parts = urlsplit(url)
    kind = ESPS[parts.scheme]
    if parts.path not in ("", "/") or parts.fragment or "@" in parts.query:
        _fail(parts.scheme, "a /, ?, # or @ in a key or a setting must be percent-encoded")
    settings = {**_credentials(parts, kind), **_host(parts, kind), **_query(parts, kind)}
    for name in sorted(kind.required - settings.keys()):
        _fail(parts.scheme, f"{name} is missing")
    if not settings.get(API_URL, "https://").startswith(("https://", "http://")):
        _fail(parts.scheme, f"{API_URL} must begin with https://")
    return Esp(parts.scheme, settings)


def missing_extra(esp: Esp) -> str:
    """The extra of this package that the service needs and that is not installed, or nothing."""
    if find_spec("anymail") is None:
        return "ses" if esp.scheme == "ses" else "esp"
    return "ses" if esp.scheme == "ses" and find_spec("boto3") is None else ""


def _credentials(parts: SplitResult, kind: EspKind) -> dict[str, str]:
    if "@" not in parts.netloc:
        if parts.netloc and not kind.host:
            _fail(parts.scheme, "an @ must follow the key")
        return {}
    if kind.password and not (parts.username and parts.password):
        _fail(parts.scheme, f"{kind.user} and {kind.password} belong together")
    given = {kind.user: parts.username or "", kind.password: parts.password or ""}
    if parts.password and not kind.password:
        _fail(parts.scheme, "a : in the key must be percent-encoded (%3A)")
    return {name: _decode(parts.scheme, value) for name, value in given.items() if value}


def _host(parts: SplitResult, kind: EspKind) -> dict[str, str]:
    host = parts.netloc.rpartition("@")[2].lower()
    if not host:
        return {}
    if not kind.host:
        _fail(parts.scheme, "nothing may follow the @ but settings behind a ?")
    if not _HOST.fullmatch(host):
        _fail(parts.scheme, "what follows the @ is no domain")
    return {kind.host: f"https://{host}" if kind.host == API_URL else host}


def _query(parts: SplitResult, kind: EspKind) -> dict[str, str]:
    try:
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        _fail(parts.scheme, "settings are written ?name=value&name=value")
    allowed = kind.settings | kind.webhook_settings
    for name, value in pairs:
        if name not in allowed:
            _fail(parts.scheme, f"unknown setting; there are {', '.join(sorted(allowed))}")
        if not value or not value.isprintable():
            _fail(parts.scheme, f"{name} is empty or unprintable")
    return dict(pairs)


def _decode(scheme: str, value: str) -> str:
    try:
        decoded = unquote(value, errors="strict")
    except UnicodeDecodeError:
        decoded = ""
    if not decoded.isprintable() or not decoded.isascii() or not decoded:
        _fail(scheme, "the key must be percent-encoded and printable")
    return decoded


def _fail(scheme: str, problem: str) -> NoReturn:
    # Without its context: the standard library's errors quote the URL.
    raise EspUrlError(f"{problem}; expected {form(scheme)}") from None
