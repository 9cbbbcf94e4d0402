"""The shape of a status report (SPEC R1), as it comes in from outside.

Only what can be checked without a database; what a report does is `reporting`.
"""

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from integration_alerts.directory.lines import Id, LineError, Text, convert
from integration_alerts.rules.states import State, is_too_far_ahead

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Link = Annotated[str, msgspec.Meta(max_length=2000, pattern=r"\A(https?://[^\x00-\x20\x7f]+)?\Z")]


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why an integration is in its state: a short code for machines, a message for people."""

    code: Text = ""
    message: Text = ""


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One statement "integration X has been in state S since T" (R1)."""

    id: Id
    account: Id
    company: Id
    integration: Id
    state: State
    occurred_at: Instant
    provider: Text | None = None
    name: Text | None = None
    reason: Reason | None = None
    fix_url: Link | None = None
    actor: Id | None = None
    connection: Id | None = None


def read_report(value: Any, now: datetime) -> Report:
    """Check one parsed JSON value; raises LineError. `occurred_at` becomes UTC."""
    report = convert(value, Report)
    try:
        occurred_at = report.occurred_at.astimezone(UTC)
    except OverflowError:
        raise LineError("occurred_at", "out of range; expected a time since 1970") from None
    if occurred_at < EARLIEST:
        raise LineError("occurred_at", f"expected a time since 1970, got {occurred_at.isoformat()}")
    if is_too_far_ahead(occurred_at, now):
        raise LineError(
            "occurred_at",
            f"more than 5 minutes in the future, got {occurred_at.isoformat()}; "
            f"the time here is {now.astimezone(UTC).isoformat(timespec='seconds')}",
        )
    return msgspec.structs.replace(report, occurred_at=occurred_at)
