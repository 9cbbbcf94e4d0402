"""The settings about mail, checked: where it goes, how fast, how it is signed, how it comes back.

Part of `configuration`, which says what they mean. Knows nothing of Django.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path

from integration_alerts.mail.dkim_key import DkimError, DkimKey, read_key
from integration_alerts.mail.dkim_signing import signer
from integration_alerts.mail.email_url import EmailUrlError, MailServer, parse_email_url
from integration_alerts.mail.esp_url import Esp, missing_extra

_SLOWEST_RATE = 0.01
_FASTEST_RATE = 10_000
LONGEST_BOUNCE_NAME = 23  # mail.return_path.LONGEST_NAME, which would load Django
_DOMAIN = re.compile(r"[^\W_]([\w-]*[^\W_])?(\.[^\W_]([\w-]*[^\W_])?)*")


class ConfigurationError(Exception):
    """A setting that cannot be used; the message is one line that names it."""


def mail_server(url: str) -> MailServer | Esp | None:
    """`EMAIL_URL`; raises ConfigurationError."""
    if not url:
        return None
    try:
        server = parse_email_url(url)
    except EmailUrlError as error:
        raise ConfigurationError(str(error)) from error
    if isinstance(server, Esp) and (extra := missing_extra(server)):
        raise ConfigurationError(
            f"EMAIL_URL: {server.scheme}:// needs the extra {extra!r}; "
            f"run: pip install 'integration-alerts[{extra}]'"
        )
    return server


def rate(name: str, text: str) -> float:
    """Mails a second; raises ConfigurationError."""
    try:
        per_second = float(text)
    except ValueError:
        per_second = 0
    if not math.isfinite(per_second) or not _SLOWEST_RATE <= per_second <= _FASTEST_RATE:
        raise ConfigurationError(
            f"{name}: expected mails a second from {_SLOWEST_RATE} to {_FASTEST_RATE}, got {text!r}"
        )
    return per_second


def rates(text: str) -> Mapping[str, float]:
    """`MAIL_RATE_PER_DOMAIN`, by domain; raises ConfigurationError."""
    found: dict[str, float] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        domain, equals, number = entry.partition("=")
        domain = domain.strip().lower()
        if not equals or not (domain == "*" or _DOMAIN.fullmatch(domain)) or domain in found:
            raise ConfigurationError(
                "MAIL_RATE_PER_DOMAIN: expected each domain once with its mails a second, such as "
                f"big.example=20,*=50, got {entry!r}"
            )
        found[domain] = rate("MAIL_RATE_PER_DOMAIN", number.strip())
    return found


def dkim(file: str, selector: str, domain: str, sender: str) -> tuple[str, str, DkimKey | None]:
    """The signing domain, the selector and the key; without a file, nothing.

    Args:
        file: `DKIM_KEY_FILE`.
        selector: `DKIM_SELECTOR`.
        domain: `DKIM_DOMAIN`.
        sender: The domain of the sender's address.

    Raises:
        ConfigurationError: One of the settings is missing or wrong.
    """
    if not file:
        for name, value in (("DKIM_SELECTOR", selector), ("DKIM_DOMAIN", domain)):
            if value:
                raise ConfigurationError(f"{name}: has no meaning without DKIM_KEY_FILE")
        return "", "", None
    if not _DOMAIN.fullmatch(selector.lower()):
        raise ConfigurationError(
            "DKIM_SELECTOR: expected the name under which the public key is found in the DNS, "
            f"such as alerts, got {selector!r}"
        )
    domain = (domain or sender).lower()
    # Else the signature says nothing about the sender, and DMARC does not count it (RFC 7489 3.1.1)
    if domain != sender.lower() and not sender.lower().endswith(f".{domain}"):
        raise ConfigurationError(
            f"DKIM_DOMAIN: must be the domain of DEFAULT_FROM_EMAIL, {sender}, or one above it"
        )
    try:
        key = read_key(Path(file), domain.encode("idna").decode(), selector)
        signer(key)
    except DkimError as error:
        raise ConfigurationError(f"DKIM_KEY_FILE: {error}") from None
    return domain, selector, key


def bounce_address(address: str) -> str:
    """`BOUNCE_ADDRESS`; raises ConfigurationError."""
    if not address:
        return ""
    name, at, domain = address.rpartition("@")
    plain = address.isascii() and address.isprintable() and not set(address) & set(' <>(),;:\\"+')
    if not plain or not name or not at or not domain or "@" in name:
        raise ConfigurationError(
            "BOUNCE_ADDRESS: expected a plain address without + such as "
            f"bounces@alerts.example.com, got {address!r}"
        )
    if len(name) > LONGEST_BOUNCE_NAME:
        raise ConfigurationError(
            "BOUNCE_ADDRESS: the part before the @ must have no more than "
            f"{LONGEST_BOUNCE_NAME} characters, because a signature follows it; got {address!r}"
        )
    return address


def webhook_secret(secret: str) -> str:
    """`WEBHOOK_SECRET`, as `user:password`; raises ConfigurationError."""
    name, _, password = secret.partition(":")
    if secret and not (name and password and secret.isascii() and secret.isprintable()):
        raise ConfigurationError(
            "WEBHOOK_SECRET: expected a name and a password with a colon between them, "
            "in ASCII characters"
        )
    return secret
