"""The settings of SPEC section 4, read from the environment and checked in one place.

Knows nothing of Django: `settings` turns the result into Django's settings, `cli` prints the error.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit

from integration_alerts.database_configuration import beside, database
from integration_alerts.mail.dkim_key import DkimKey
from integration_alerts.mail.email_url import MailServer
from integration_alerts.mail.esp_url import Esp
from integration_alerts.mail_configuration import (
    ConfigurationError,
    bounce_address,
    dkim,
    mail_server,
    rate,
    rates,
    webhook_secret,
)
from integration_alerts.rules.retention import (
    LEAST_EMAILS,
    LEAST_HISTORY,
    LEAST_MESSAGES,
    LEAST_RECEIPTS,
)

__all__ = ["Configuration", "ConfigurationError", "load", "secret_key"]

_LONGEST_WAIT = 24 * 60 * 60
_MOST_PROXIES = 10
_LONGEST_KEPT = 36_500  # days: as good as for ever


@dataclass(frozen=True, slots=True)
class Configuration:
    """Every setting, checked. `docs/reference/settings.md` describes them for operators."""

    data_dir: Path
    """`DATA_DIR`: the folder of the embedded database and of the secret key (default `./var`)."""
    database: Mapping[str, str] | None
    """`DATABASE_URL` as libpq parameters; None: the embedded PostgreSQL under `data_dir`."""
    database_direct: Mapping[str, str] | None
    """`DATABASE_DIRECT_URL`: the same database past a pooler; None: `database` is no pooler."""
    database_replica: Mapping[str, str] | None
    """`DATABASE_REPLICA_URL`: a streaming replica to read pages from; None: there is none."""
    postgres_bin: Path | None
    """`POSTGRES_BIN`: the folder of the PostgreSQL programs; None: the ones found."""
    mail_server: MailServer | Esp | None
    """`EMAIL_URL`; None: the built-in inbox catches all mail."""
    mail_rate: float | None
    """`MAIL_RATE`: mails a second, for the mailer as a whole; None: no limit."""
    mail_rate_per_domain: Mapping[str, float]
    """`MAIL_RATE_PER_DOMAIN`: mails a second by recipient domain; `*`: each of the others."""
    dkim_domain: str
    """`DKIM_DOMAIN`: the domain that signs; the sender's unless set."""
    dkim_selector: str
    """`DKIM_SELECTOR`: under which name the domain's DNS has the public key."""
    dkim_key_file: DkimKey | None = field(repr=False)
    """The key in `DKIM_KEY_FILE`; None: mails are not signed here."""
    default_from_email: str
    """`DEFAULT_FROM_EMAIL`: the sender of every mail, an address or `Name <address>`."""
    bounce_address: str
    """`BOUNCE_ADDRESS`: the address whose sub-addresses are return paths; empty: the sender's."""
    public_url: str
    """`PUBLIC_URL`: where people reach the pages; links in mails begin with it. No trailing `/`."""
    webhook_secret: str = field(repr=False)
    """`WEBHOOK_SECRET` as `user:password`: what the email service signs in with; empty: nothing."""
    group_wait: int
    """`GROUP_WAIT` in seconds (R22), for new accounts."""
    group_interval: int
    """`GROUP_INTERVAL` in seconds (R22), for new accounts."""
    keep_history: int
    """`KEEP_HISTORY` in days: state changes, and closed incidents with their notices."""
    keep_emails: int
    """`KEEP_EMAILS` in days: ended emails with their attempts and bounces."""
    keep_messages: int
    """`KEEP_MESSAGES` in days: the texts of ended emails, and the built-in inbox."""
    keep_receipts: int
    """`KEEP_RECEIPTS` in days: event ids of reports (R2)."""
    trusted_proxy_count: int
    """`TRUSTED_PROXY_COUNT`: how many proxies of ours stand before the pages (default 0)."""
    log_format: str
    """`LOG_FORMAT`: `text` or `json`."""
    demo: bool
    """Set by `run --demo` for the processes that it starts: opens the inbox on loopback."""

    @property
    def embedded(self) -> bool:
        """Whether the database is the embedded one."""
        return self.database is None


def load(environment: Mapping[str, str]) -> Configuration:
    """Read and check the settings; raises ConfigurationError for the first wrong one."""
    sender = _sender(environment)
    domain, selector, key = dkim(
        environment.get("DKIM_KEY_FILE", ""),
        environment.get("DKIM_SELECTOR", ""),
        environment.get("DKIM_DOMAIN", ""),
        parseaddr(sender)[1].rpartition("@")[2],
    )
    main = database(environment, "DATABASE_URL")
    return Configuration(
        data_dir=_folder(environment.get("DATA_DIR") or "./var"),
        database=main,
        database_direct=beside(environment, "DATABASE_DIRECT_URL", main),
        database_replica=beside(environment, "DATABASE_REPLICA_URL", main),
        postgres_bin=Path(folder) if (folder := environment.get("POSTGRES_BIN")) else None,
        mail_server=mail_server(environment.get("EMAIL_URL", "")),
        mail_rate=rate("MAIL_RATE", text) if (text := environment.get("MAIL_RATE")) else None,
        mail_rate_per_domain=rates(environment.get("MAIL_RATE_PER_DOMAIN", "")),
        dkim_domain=domain,
        dkim_selector=selector,
        dkim_key_file=key,
        default_from_email=sender,
        bounce_address=bounce_address(environment.get("BOUNCE_ADDRESS", "")),
        public_url=_public_url(environment.get("PUBLIC_URL") or "http://localhost:8000"),
        webhook_secret=webhook_secret(environment.get("WEBHOOK_SECRET", "")),
        group_wait=_seconds(environment, "GROUP_WAIT", 30),
        group_interval=_seconds(environment, "GROUP_INTERVAL", 300),
        keep_history=_days(environment, "KEEP_HISTORY", 400, LEAST_HISTORY),
        keep_emails=_days(environment, "KEEP_EMAILS", 400, LEAST_EMAILS),
        keep_messages=_days(environment, "KEEP_MESSAGES", 90, LEAST_MESSAGES),
        keep_receipts=_days(environment, "KEEP_RECEIPTS", 30, LEAST_RECEIPTS),
        trusted_proxy_count=_number(
            environment.get("TRUSTED_PROXY_COUNT") or "0",
            "TRUSTED_PROXY_COUNT: expected a number",
            range(_MOST_PROXIES + 1),
        ),
        log_format=_one_of(environment, "LOG_FORMAT", ("text", "json")),
        demo=environment.get("INTEGRATION_ALERTS_DEMO") == "1",
    )


def secret_key(configuration: Configuration, environment: Mapping[str, str]) -> str:
    """`SECRET_KEY`, or the one that is made once and kept in `data_dir` for its owner only."""
    if key := environment.get("SECRET_KEY"):
        return key
    path = configuration.data_dir / "secret-key"
    try:
        # Where root may make no user namespace, PostgreSQL runs as nobody and has to pass through.
        mode = 0o711 if os.geteuid() == 0 else 0o700
        configuration.data_dir.mkdir(mode=mode, parents=True, exist_ok=True)
        _create_once(path, secrets.token_urlsafe(50))
        return path.read_text().strip()
    except OSError as error:
        raise ConfigurationError(
            f"DATA_DIR: cannot keep the secret key in {path} ({error.strerror}); "
            "make the folder writable for this user, or set SECRET_KEY"
        ) from error


def _create_once(path: Path, content: str) -> None:
    # Written aside and linked into place: two processes that start at once agree on one key.
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(content)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _folder(path: str) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:
        raise ConfigurationError(f"DATA_DIR: there is no such user's folder: {path!r}") from None


def _sender(environment: Mapping[str, str]) -> str:
    sender = environment.get("DEFAULT_FROM_EMAIL") or "Integration Alerts <alerts@localhost>"
    local, at, domain = parseaddr(sender)[1].rpartition("@")
    try:
        domain.encode("idna")
    except UnicodeError:
        domain = ""
    if not local or not at or not domain or not sender.isprintable():
        raise ConfigurationError(
            "DEFAULT_FROM_EMAIL: expected an address such as alerts@example.com or "
            f"'Alerts <alerts@example.com>', got {sender!r}"
        )
    return sender


def _public_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isprintable() or " " in url or parts.query or parts.fragment:
        raise ConfigurationError(
            f"PUBLIC_URL: expected an address such as https://alerts.example.com, got {url!r}"
        )
    return url.rstrip("/")


def _seconds(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    return _number(text, f"{name}: expected a number of seconds", range(_LONGEST_WAIT + 1))


def _days(environment: Mapping[str, str], name: str, default: int, least: timedelta) -> int:
    text = environment.get(name) or str(default)
    allowed = range(least.days, _LONGEST_KEPT + 1)
    return _number(text, f"{name}: expected a number of days", allowed)


def _number(text: str, expected: str, allowed: range) -> int:
    if not text.isascii() or not text.isdigit() or int(text) not in allowed:
        raise ConfigurationError(f"{expected} from {allowed[0]} to {allowed[-1]}, got {text!r}")
    return int(text)


def _one_of(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = environment.get(name) or choices[0]
    if value not in choices:
        raise ConfigurationError(f"{name}: expected {' or '.join(choices)}, got {value!r}")
    return value
