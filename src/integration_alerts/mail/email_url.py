"""Reads EMAIL_URL, the address of the mail server with its user name and password.

The URLs of email services are read by `esp_url`. Connects to nothing. Errors never repeat a part of
the URL, because a password with a character that should have been percent-encoded can end up in
any part.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv6Address
from typing import NoReturn
from urllib.parse import SplitResult, unquote, urlsplit

from integration_alerts.mail.esp_url import Esp, EspUrlError, parse_esp_url
from integration_alerts.mail.esps import ESPS


class EmailUrlError(ValueError):
    """EMAIL_URL cannot be used; the message is one line and free of secrets."""


class Security(StrEnum):
    """How the connection is encrypted."""

    STARTTLS_IF_OFFERED = "starttls_if_offered"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where and how to hand in emails."""

    host: str
    port: int
    security: Security
    username: str | None
    password: str | None = field(repr=False)

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.host}:{self.port}"


_EXPECTED = "expected smtp://user:password@host:587 or smtps://user:password@host:465"
_RELAY_PORT = 25
_SUBMISSION_PORT = 587
_SUBMISSION_OVER_TLS_PORT = 465
_LABEL = r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?"
_HOST_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def parse_email_url(url: str) -> MailServer | Esp:
    """Read `smtp[s]://[user:password@]host[:port][?tls=required]`, or an email service's URL.

    `smtp` uses STARTTLS when the server offers it and insists on it with `?tls=required`; `smtps`
    encrypts from the start. The port is 465 for `smtps`; for `smtp` 587 (submission, RFC 6409) with
    credentials and 25 without. User name and password are percent-decoded.
    """
    url = url.strip()
    parts = _split(url)
    if parts.scheme in ESPS:
        try:
            return parse_esp_url(url)
        except EspUrlError as error:
            raise EmailUrlError(f"EMAIL_URL: {error}") from None
    _check_nothing_follows(parts)
    username, password = _credentials(parts)
    security = _security(parts)
    return MailServer(
        host=_host(parts),
        port=_port(parts) or _default_port(security, has_credentials=username is not None),
        security=security,
        username=username,
        password=password,
    )


def _split(url: str) -> SplitResult:
    if not url.isprintable() or " " in url:
        _fail("a space or control character must be percent-encoded")
    try:
        parts = urlsplit(url)
    except ValueError:
        _fail("it is not a URL")
    if parts.scheme not in ("smtp", "smtps", *ESPS):
        _fail(f"it must begin with smtp:// or smtps://, or name an email service: {_services()}")
    if not url[len(parts.scheme) :].startswith("://"):
        _fail("it must begin with smtp:// or smtps://")
    return parts


def _check_nothing_follows(parts: SplitResult) -> None:
    if "@" in parts.path + parts.query + parts.fragment:
        _fail("a /, ? or # in the user name or password must be percent-encoded (%2F, %3F, %23)")
    if parts.path not in ("", "/") or parts.fragment:
        _fail("nothing but ?tls=required may follow the host and port")


def _services() -> str:
    return ", ".join(sorted(ESPS))


def _security(parts: SplitResult) -> Security:
    if parts.query not in ("", "tls=required"):
        _fail("unknown parameter; the only one is ?tls=required")
    if parts.scheme == "smtps":
        return Security.TLS
    return Security.STARTTLS if parts.query else Security.STARTTLS_IF_OFFERED


def _credentials(parts: SplitResult) -> tuple[str, str] | tuple[None, None]:
    if "@" not in parts.netloc:
        return None, None
    if not parts.username or not parts.password:
        _fail("user name and password must both be given, or neither")
    try:
        username = unquote(parts.username, errors="strict")
        password = unquote(parts.password, errors="strict")
    except UnicodeDecodeError:
        _fail("user name and password must be percent-encoded UTF-8")
    if "\0" in username + password:
        _fail("user name and password must not contain a NUL character")
    return username, password


def _host(parts: SplitResult) -> str:
    host = parts.hostname
    if not host:
        _fail("the host is missing")
    try:
        if ":" in host:
            return str(IPv6Address(host))
        host = host.encode("idna").decode()
    except ValueError:
        host = ""
    if not _HOST_NAME.fullmatch(host):
        _fail("the host is neither a host name nor an IP address (IPv6 in brackets)")
    return host


def _port(parts: SplitResult) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        _fail("the port must be a number from 1 to 65535")
    return port


def _default_port(security: Security, *, has_credentials: bool) -> int:
    if security is Security.TLS:
        return _SUBMISSION_OVER_TLS_PORT
    return _SUBMISSION_PORT if has_credentials else _RELAY_PORT


def _fail(problem: str) -> NoReturn:
    # Without its context: the standard library's errors quote the URL.
    raise EmailUrlError(f"EMAIL_URL: {problem}; {_EXPECTED}") from None
