"""The shapes of directory lines (SPEC section 4): what a platform tells about its accounts.

Only what can be checked without a database. An absent optional field is None: leave as stored.
"""

import re
from typing import Annotated, Any, Literal

import msgspec

from integration_alerts.directory.addresses import is_address
from integration_alerts.directory.lines import Id, LineError, Name, Text, convert
from integration_alerts.directory.time_zones import is_time_zone
from integration_alerts.rules.eligibility import Role

# Seconds: longer than a day, and a first mail would come after the time for the next day's.
Wait = Annotated[int, msgspec.Meta(ge=0, le=24 * 60 * 60)]


class Brand(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an account's mails look; an empty text takes a part of it back."""

    name: Text | None = None
    logo_url: Text | None = None
    colour: Text | None = None
    reply_to: Text | None = None


class AccountLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="account"):
    """A tenant; `group_wait` and `group_interval` are seconds (R22)."""

    id: Id
    name: Name | None = None
    time_zone: Text | None = None
    active: bool | None = None
    group_wait: Wait | None = None
    group_interval: Wait | None = None
    brand: Brand | None = None


class CompanyLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="company"):
    """A company of an account."""

    account: Id
    id: Id
    name: Name | None = None
    active: bool | None = None


class UserLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="user"):
    """A member of an account; `companies` are the assigned ones."""

    account: Id
    id: Id
    email: Text | None = None
    name: Name | None = None
    role: Role | None = None
    companies: list[Id] | None = None
    active: bool | None = None


class IntegrationLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="integration"):
    """An integration of a company."""

    account: Id
    company: Id
    id: Id
    name: Text | None = None
    provider: Text | None = None
    deleted: bool | None = None


class SubscriptionLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="subscription"):
    """A member's integration alert."""

    account: Id
    user: Id
    companies: Literal["all"] | list[Id] | None = None
    deleted: bool | None = None


DirectoryLine = AccountLine | CompanyLine | UserLine | IntegrationLine | SubscriptionLine
_TYPES: dict[str, type[DirectoryLine]] = {
    "account": AccountLine,
    "company": CompanyLine,
    "user": UserLine,
    "integration": IntegrationLine,
    "subscription": SubscriptionLine,
}


def read_line(value: Any) -> DirectoryLine:
    """Check one parsed JSON value; raises LineError."""
    kind = value.get("type") if isinstance(value, dict) else None
    if isinstance(value, dict) and (not isinstance(kind, str) or kind not in _TYPES):
        shown = "missing" if "type" not in value else f"got {kind!r}"
        raise LineError("type", f"{shown}; expected one of {', '.join(_TYPES)}")
    line: DirectoryLine = convert(value, _TYPES.get(kind or "", AccountLine))
    if isinstance(line, AccountLine):
        _check_account(line)
    if isinstance(line, UserLine) and line.email is not None and not is_address(line.email):
        raise LineError("email", f"expected one e-mail address, got {line.email[:80]!a}")
    return line


def _check_account(line: AccountLine) -> None:
    if line.time_zone is not None and not is_time_zone(line.time_zone):
        raise LineError(
            "time_zone", f"expected an IANA time zone such as Europe/Berlin, got {line.time_zone!r}"
        )
    brand = line.brand or Brand()
    checks = (
        ("name", brand.name, r"[^\x00-\x1f\x7f]{1,100}", "at most 100 characters on one line"),
        ("logo_url", brand.logo_url, r"https://[^\x00-\x20\x7f\"'<>]+",
         "an address that begins with https://"),
        ("colour", brand.colour, r"#[0-9a-fA-F]{6}", "a colour such as #1d4fd7"),
    )  # fmt: skip
    for field, value, pattern, expected in checks:
        if value and not re.fullmatch(pattern, value):
            raise LineError(f"brand.{field}", f"expected {expected}, got {value[:80]!a}")
    if brand.reply_to and not is_address(brand.reply_to):
        raise LineError("brand.reply_to", f"expected one e-mail address, got {brand.reply_to!a}")
