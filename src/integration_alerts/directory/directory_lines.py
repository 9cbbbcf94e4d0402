"""The shapes of directory lines (SPEC section 4): what a platform tells about its accounts.

Only what can be checked without a database. An absent optional field is None: leave as stored.
"""

from typing import Any, Literal

import msgspec

from integration_alerts.directory.addresses import is_address
from integration_alerts.directory.lines import Id, LineError, Name, Text, convert
from integration_alerts.directory.time_zones import is_time_zone
from integration_alerts.rules.eligibility import Role


class AccountLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="account"):
    """A tenant."""

    id: Id
    name: Name | None = None
    time_zone: Text | None = None
    active: bool | None = None


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
    if isinstance(line, AccountLine) and line.time_zone is not None:
        _check_time_zone(line.time_zone)
    if isinstance(line, UserLine) and line.email is not None and not is_address(line.email):
        raise LineError("email", f"expected one e-mail address, got {line.email[:80]!a}")
    return line


def _check_time_zone(name: str) -> None:
    if not is_time_zone(name):
        raise LineError(
            "time_zone", f"expected an IANA time zone such as Europe/Berlin, got {name!r}"
        )
