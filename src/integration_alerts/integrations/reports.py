"""The shape of a status report (SPEC R1), as it comes in from outside.

Only what can be checked without a database; what a report does is `reporting`.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec

from integration_alerts.directory.lines import Id, LineError, Text, convert
from integration_alerts.rules.states import State, is_too_far_ahead

DESCRIPTION = ("name", "provider", "fix_url", "connection")
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

    @property
    def describes(self) -> bool:
        """Whether it says anything about the integration besides its state."""
        return not (
            self.name is None
            and self.provider is None
            and self.fix_url is None
            and self.connection is None
            and self.reason is None
        )


_Read = TypeVar("_Read")

_ONE = msgspec.json.Decoder(Report)
_MANY = msgspec.json.Decoder(list[Report])


def decode_report(raw: bytes) -> Report | None:
    """A report from its JSON text; None when anything is wrong: `decode`, `read_report` say what.

    `check_time` is still to come.
    """
    return _decoded(_ONE, raw)


def decode_reports(raw: bytes) -> list[Report] | None:
    """The reports of a JSON array, as `decode_report` does one."""
    return _decoded(_MANY, raw)


def read_report(value: Any, now: datetime) -> Report:
    """Check one parsed JSON value; raises LineError. `occurred_at` becomes UTC."""
    return check_time(convert(value, Report), now)


def check_time(report: Report, now: datetime) -> Report:
    """Check when a report is of; raises LineError. `occurred_at` becomes UTC."""
    occurred_at = report.occurred_at
    if occurred_at.tzinfo is not UTC:
        try:
            occurred_at = occurred_at.astimezone(UTC)
        except OverflowError:
            raise LineError("occurred_at", "out of range; expected a time since 1970") from None
        report = msgspec.structs.replace(report, occurred_at=occurred_at)
    if occurred_at < EARLIEST:
        raise LineError("occurred_at", f"expected a time since 1970, got {occurred_at.isoformat()}")
    if is_too_far_ahead(occurred_at, now):
        raise LineError(
            "occurred_at",
            f"more than 5 minutes in the future, got {occurred_at.isoformat()}; "
            f"the time here is {now.astimezone(UTC).isoformat(timespec='seconds')}",
        )
    return report


def _decoded(decoder: msgspec.json.Decoder[_Read], raw: bytes) -> _Read | None:
    try:
        return decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
