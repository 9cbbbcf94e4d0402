"""A batch of reports in memory: what is known, and what the batch makes of each integration.

No database here: `report_rows` reads these values and saves them.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import msgspec

from integration_alerts.integrations.reports import DESCRIPTION, Report
from integration_alerts.rules.flapping import Openings, opened
from integration_alerts.rules.states import Decision, Result, Standing, State

Key = tuple[int, str]  # (account id, external id)


@dataclass(frozen=True, slots=True)
class Tenant:
    """An account or a company, as reports need to know it."""

    id: int
    active: bool


@dataclass(slots=True)
class Known:
    """What the directory knows of the names in a batch."""

    accounts: dict[str, Tenant]
    companies: dict[Key, Tenant]
    integrations: dict[Key, int]
    owners: dict[Key, int]  # integration -> its company's id; with those that the batch will make


class Accepted(NamedTuple):
    """A report that may be applied, with where its answer belongs in the batch."""

    place: int
    report: Report
    account_id: int


@dataclass(slots=True)
class IncidentRow:
    """An incident, open or closed within this batch; `id` is None until it is saved."""

    state: State
    since: datetime
    opened_at: datetime
    id: int | None = None
    closed_at: datetime | None = None
    flapping_since: datetime | None = None


class Row(msgspec.Struct):
    """An integration under our lock, with what the batch makes of it."""

    id: int
    account_id: int
    external_id: str
    standing: Standing
    openings: Openings
    name: str
    provider: str
    fix_url: str
    connection: str
    reason_code: str
    reason_message: str
    confirmed: bool = False  # its state was reported again
    changed: bool = False  # more than that
    incident: IncidentRow | None = None
    incidents: list[IncidentRow] = []  # all that this batch touched

    def apply(self, decision: Decision, report: Report) -> None:
        """Take over what a report that is not stale says; an absent field stays as it is."""
        if decision.result is Result.UNCHANGED:
            self.confirmed = True
        else:
            self.changed = True
            self._reason("", "")  # the old reason belongs to the old state
        if report.describes:
            self._describe(report)
        self.standing = decision.standing

    def _describe(self, report: Report) -> None:
        for name in DESCRIPTION:
            value = getattr(report, name)
            if value is not None and value != getattr(self, name):
                setattr(self, name, value)
                self.changed = True
        if report.reason is not None:
            self._reason(report.reason.code, report.reason.message)

    def _reason(self, code: str, message: str) -> None:
        if (self.reason_code, self.reason_message) != (code, message):
            self.reason_code, self.reason_message = code, message
            self.changed = True

    def open_incident(self, state: State, at: datetime) -> None:
        """Begin a new incident in this state."""
        self.openings = opened(self.openings, at)
        self.incident = IncidentRow(state, at, at, flapping_since=self.openings.flapping_since)
        self.incidents.append(self.incident)

    def enter_state(self, state: State, at: datetime) -> None:
        """Let the open incident go on in its other state, whose own clock starts."""
        # None: it was closed by a company going off and on, while this report was on its way.
        if self.incident is None:
            self.open_incident(state, at)
            return
        self._touch(self.incident)
        self.incident.state, self.incident.since = state, at

    def close_incident(self, at: datetime) -> None:
        """End the open incident."""
        if self.incident is not None:
            self._touch(self.incident)
            self.incident.closed_at = at
            self.incident = None

    def _touch(self, incident: IncidentRow) -> None:
        if not any(known is incident for known in self.incidents):
            self.incidents.append(incident)


@dataclass(frozen=True, slots=True)
class Change:
    """A report to be kept as history."""

    row: Row
    report: Report
    stale: bool
