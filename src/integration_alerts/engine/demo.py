"""Believable accounts to look at: loaded by `run --demo`, once; a second start changes nothing."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

from integration_alerts.directory.keys import create_key, find_key
from integration_alerts.directory.lines import decode, split
from integration_alerts.directory.models import Account
from integration_alerts.engine import importing, intake
from integration_alerts.engine.demo_people import ACCOUNT, make_users

SECOND_ACCOUNT = "quay"  # Inês is a Manager there: the account switch can be tried


@dataclass(frozen=True, slots=True)
class _Past:
    """Something that happened some hours before the demo was first started."""

    hours: float
    company: str
    integration: str
    state: str
    code: str = ""
    message: str = ""
    account: str = ACCOUNT


_HISTORY = (
    _Past(2000, "north", "north-google-ads", "active"),
    _Past(1990, "north", "north-shopify", "active"),
    _Past(1500, "north", "north-slack", "active"),
    _Past(1400, "harbour", "harbour-google-ads", "active"),
    _Past(1300, "harbour", "harbour-hubspot", "active"),
    _Past(900, "harbour", "harbour-calendar", "active"),
    _Past(800, "pine", "pine-meta-ads", "active"),
    _Past(700, "pine", "pine-mailchimp", "disabled"),
    _Past(400, "atelier", "atelier-webhook", "active"),
    _Past(
        194, "harbour", "harbour-hubspot", "failed", "expired_login",
        "The sign-in of HubSpot has expired.",
    ),
    _Past(31, "atelier", "atelier-stripe", "pending"),
    _Past(
        2, "pine", "pine-meta-ads", "failed", "permission",
        "The ad account no longer allows access.",
    ),
    _Past(500, "pier", "pier-eventbrite", "active", account=SECOND_ACCOUNT),
    _Past(480, "dock", "dock-typeform", "active", account=SECOND_ACCOUNT),
    _Past(
        20, "pier", "pier-eventbrite", "failed", "revoked_key",
        "The key of Eventbrite was revoked.", SECOND_ACCOUNT,
    ),
)  # fmt: skip


def load(data_dir: Path, now: datetime) -> str:
    """Load the accounts and return the secret of a platform key, the same one each time."""
    for account in (ACCOUNT, SECOND_ACCOUNT):
        if not Account.objects.filter(external_id=account).exists():
            _load_account(account, now)
    make_users()
    if (kept := _kept_secret(data_dir)) is not None:
        return kept
    secret = create_key("demo", None, now)
    path = _secret_path(data_dir)
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(secret)
    return secret


def _load_account(account: str, now: datetime) -> None:
    directory = files(__package__).joinpath("demo_directory.ndjson").read_bytes()
    lines = [decode(line) for _, line in split(directory)]
    own = [line for line in lines if line.get("account", line.get("id")) == account]
    importing.take_directory(own, now)
    intake.take_reports([_report(p, now) for p in _HISTORY if p.account == account], now)


def hint(url: str, secret: str) -> str:
    """How to report a failure with one curl, and where to see its mail."""
    report = {
        "id": "try-1", "account": ACCOUNT, "company": "north", "integration": "north-google-ads",
        "state": "failed", "occurred_at": "NOW",
        "reason": {"code": "expired_login", "message": "The sign-in of Google has expired."},
        "fix_url": "https://app.example.com/integrations/north-google-ads",
    }  # fmt: skip
    # The shell fills in the time and a new id, so that the line can be used again.
    body = (
        json.dumps([report])
        .replace("NOW", "'\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\"'")
        .replace("try-1", "'\"try-$(date +%s)\"'")
    )
    return (
        f"Inbox: {url}/inbox\n"
        "Report a failure, then look into the inbox:\n"
        f"  curl {url}/api/v1/reports -H 'Authorization: Bearer {secret}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )


def _report(past: _Past, now: datetime) -> dict[str, object]:
    return {
        "id": f"demo-{past.integration}-{past.state}",
        "account": past.account,
        "company": past.company,
        "integration": past.integration,
        "state": past.state,
        "occurred_at": (now - timedelta(hours=past.hours)).isoformat(),
        "reason": {"code": past.code, "message": past.message},
        "fix_url": f"https://app.example.com/integrations/{past.integration}",
    }


def _kept_secret(data_dir: Path) -> str | None:
    path = _secret_path(data_dir)
    secret = path.read_text().strip() if path.exists() else ""
    return secret if secret and find_key(secret) is not None else None


def _secret_path(data_dir: Path) -> Path:
    return data_dir / "demo-key"
