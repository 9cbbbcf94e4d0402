"""From incidents to notices: which step of which incident is due (SPEC R5 to R10, R23).

`rules.schedule` and `rules.flapping` decide; this finds the incidents that need a look, and writes
the decision down. Does not know who is told: that is composing, in the layer above, which goes on
with these notices in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integration_alerts.alerts.models import NoticeStatus
from integration_alerts.directory.columns import array, columns
from integration_alerts.directory.statements import fetch, run
from integration_alerts.rules import flapping
from integration_alerts.rules.schedule import Plan, Step, due_at, plan
from integration_alerts.rules.states import State

BATCH = 500


@dataclass(frozen=True, slots=True)
class Flapping:
    """An incident that is part of an integration's flapping (R23)."""

    opened_at: datetime
    since: datetime


@dataclass(frozen=True, slots=True)
class DueIncident:
    """An incident that is due for a look, under this transaction's lock."""

    id: int
    account_id: int
    company_id: int
    state: State
    since: datetime
    closed: bool
    flapping: Flapping | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice, with what decides who is told of it."""

    id: int
    account_id: int
    company_id: int
    step: str
    flapping: bool
    status: str
    stands: bool = True
    """Whether what it says is still so."""


def claim_due(now: datetime, limit: int = BATCH) -> list[DueIncident]:
    """Lock up to `limit` incidents that are due for a look. Call inside a transaction.

    Several workers may run it at once: each takes incidents that no other holds, and a crash leaves
    the incidents as they were.
    """
    return [
        DueIncident(
            id_, account_id, company_id, _STATES[state], since, closed,
            None if flapping_since is None else Flapping(opened_at, flapping_since),
        )
        for id_, account_id, company_id, state, since, closed, opened_at, flapping_since
        in fetch(_CLAIM, [now, limit])
    ]  # fmt: skip


def plan_claimed(
    incidents: Sequence[DueIncident], now: datetime, status: NoticeStatus, *, damped: bool = True
) -> list[Notice]:
    """Write down what is due for claimed incidents; returns the notices that people must be told.

    These get `status`: `planned`, or `composed` by who composes them in this very transaction.
    `damped`: whether alerts of flapping integrations say so (R23); composing holds them back from
    those who know it.

    What was unsent about states that ended must have been withdrawn before, in this transaction:
    a withdrawn notice is not one that happened.
    """
    if not incidents:
        return []
    rows: list[tuple[Any, ...]] = []
    looks: list[tuple[int, datetime | None]] = []
    happened = _happened([incident.id for incident in incidents])
    for incident in incidents:
        decision = _plan(incident, happened.get(incident.id, _NOTHING), now)
        steps = [(step, NoticeStatus.SUPERSEDED) for step in decision.superseded]
        steps += [] if decision.send is None else [(decision.send, status)]
        rows += [_as_row(incident, *step, damped=damped) for step in steps]
        looks.append((incident.id, decision.next_due_at))
    run(_UPDATE_LOOKS, columns(looks, 2))
    written = fetch(_INSERT_NOTICES, [now, *columns(rows, 5)]) if rows else []
    by_id = {incident.id: incident for incident in incidents}
    return [
        Notice(id_, by_id[incident].account_id, by_id[incident].company_id, step, flaps, kept)
        for id_, incident, step, flaps, kept in written
        if kept != NoticeStatus.SUPERSEDED
    ]


def _happened(incident_ids: list[int]) -> dict[int, dict[str, set[Step]]]:
    happened: dict[int, dict[str, set[Step]]] = {}
    for incident_id, state, step in fetch(_NOTICES, [array(incident_ids)]):
        happened.setdefault(incident_id, {}).setdefault(state, set()).add(Step(step))
    return happened


def _plan(incident: DueIncident, happened: Mapping[str, set[Step]], now: datetime) -> Plan:
    """The steps of one incident that are due, and when to look at it again."""
    if incident.closed:
        return _OVER
    return plan(incident.state, incident.since, happened.get(incident.state, ()), now)


def _as_row(
    incident: DueIncident, step: Step, status: NoticeStatus, *, damped: bool
) -> tuple[Any, ...]:
    due = due_at(incident.state, incident.since, step)
    says_so = (
        damped
        and step is Step.ALERT
        and incident.flapping is not None
        and flapping.says_so(incident.flapping.since, incident.flapping.opened_at, due)
    )
    return incident.id, step, due, status, says_so


_STATES = {state.value: state for state in State}
_OVER = Plan(send=None, superseded=(), next_due_at=None)
_NOTHING: Mapping[str, set[Step]] = {}

# Served by the partial index incident_due, and in no finer order than it has: of 100,000 that fall
# due at one instant each batch would sort all. SKIP LOCKED: the loser of a race takes other rows.
_CLAIM = """
SELECT id, account_id,
       (SELECT company_id FROM integration WHERE integration.id = incident.integration_id),
       state, state_since, closed_at IS NOT NULL,
       CASE WHEN flapping_since IS NOT NULL THEN opened_at END, flapping_since
FROM incident WHERE next_notice_at <= %s
ORDER BY next_notice_at LIMIT %s
FOR NO KEY UPDATE SKIP LOCKED"""

# Served by the unique index notice_once, whatever PostgreSQL believes of the table: OFFSET 0 has it
# go from each incident to its notices. A withdrawn notice is not over: it is told to those who were
# not told, should its state be entered again.
_NOTICES = """
SELECT batch.id, told.state, told.step
FROM unnest(%s::bigint[]) AS batch (id)
CROSS JOIN LATERAL (
    SELECT state, step FROM notice
    WHERE notice.incident_id = batch.id AND notice.status <> 'withdrawn' OFFSET 0
) AS told"""

# The incidents are under this transaction's lock: what they say is what was decided from.
_INSERT_NOTICES = """
INSERT INTO notice (planned_at, account_id, incident_id, state, step, state_since, due_at, status,
                    flapping)
SELECT %s, incident.account_id, incident.id, incident.state, batch.step, incident.state_since,
       batch.due_at, batch.status, batch.flapping
FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::text[], %s::boolean[])
     AS batch (incident_id, step, due_at, status, flapping)
JOIN incident ON incident.id = batch.incident_id
ON CONFLICT (incident_id, state, step) DO UPDATE
SET planned_at = excluded.planned_at, state_since = excluded.state_since,
    due_at = excluded.due_at, status = excluded.status, flapping = excluded.flapping
WHERE notice.status = 'withdrawn'
RETURNING id, incident_id, step, flapping, status"""

_UPDATE_LOOKS = """
UPDATE incident SET next_notice_at = batch.look
FROM unnest(%s::bigint[], %s::timestamptz[]) AS batch (id, look)
WHERE incident.id = batch.id"""
