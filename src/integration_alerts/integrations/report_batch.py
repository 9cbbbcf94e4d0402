"""A batch of reports in memory: what is known, and what the batch makes of each integration.

No database here: `report_rows` reads these values and saves them.
"""

from dataclasses import dataclass, field
from datetime import datetime

from integration_alerts.integrations.reports import Report
from integration_alerts.rules.flapping import Openings, opened
from integration_alerts.rules.states import Standing, State

Key = tuple[int, str]  # (account id, external id)


@dataclass(frozen=True, slots=True)
class Tenant:
    """An account or a company, as reports need to know it."""

    id: int
    active: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What the directory knows of the names in a batch."""

    accounts: dict[str, Tenant]
    companies: dict[Key, Tenant]
    owners: dict[Key, int]  # integration -> its company's id


@dataclass(slots=True)
class IncidentRow:
    """An incident, open or closed within this batch; `id` is None until it is saved."""

    state: State
    since: datetime
    opened_at: datetime
    id: int | None = None
    closed_at: datetime | None = None
    flapping_since: datetime | None = None


@dataclass(slots=True)
class Row:
    """An integration under our lock, with what the batch makes of it."""

    id: int
    account_id: int
    standing: Standing
    openings: Openings
    name: str
    provider: str
    fix_url: str
    connection: str
    reason_code: str
    reason_message: str
    changed: bool = False
    incident: IncidentRow | None = None
    incidents: list[IncidentRow] = field(default_factory=list)  # all that this batch touched

    def describe(self, report: Report) -> None:
        """Take over what a report says besides the state; an absent field stays as it is."""
        self.changed = True
        for name in ("name", "provider", "fix_url", "connection"):
            if (value := getattr(report, name)) is not None:
                setattr(self, name, value)
        if report.reason is not None:
            self.reason_code, self.reason_message = report.reason.code, report.reason.message
        elif report.state != self.standing.state:
            self.reason_code = self.reason_message = ""  # the old reason belongs to the old state

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
