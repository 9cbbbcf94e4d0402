"""From incidents to notices: which step of which incident is due (SPEC R5 to R10).

`rules.schedule` decides; this finds the incidents that need a look, and writes the decision down.
Does not know who is told: that is composing, in the layer above.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from integration_alerts.alerts.models import NoticeStatus
from integration_alerts.directory.columns import columns
from integration_alerts.rules.schedule import Step, due_at, plan
from integration_alerts.rules.states import State

BATCH = 500


@dataclass(slots=True)
class Planned:
    """What one pass did: how many incidents it looked at, and what follows."""

    looked_at: int = 0
    notices: int = 0  # that wait to be composed now
    ended: list[tuple[int, str]] = field(default_factory=list)  # (incident id, state) to withdraw


@dataclass(frozen=True, slots=True)
class _Incident:
    id: int
    account_id: int
    state: State
    since: datetime
    closed: bool


def plan_due(now: datetime, limit: int = BATCH) -> Planned:
    """Plan up to `limit` incidents that are due for a look. Call inside a transaction.

    Several workers may run it at once: each takes incidents that no other holds, and one crash
    leaves the incidents as they were. The caller withdraws the mails of what has `ended`, in the
    same transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [now, limit])
        incidents = [
            _Incident(row[0], row[1], State(row[2]), row[3], row[4]) for row in cursor.fetchall()
        ]
        planned = Planned(looked_at=len(incidents))
        if not incidents:
            return planned
        happened = _happened(cursor, [incident.id for incident in incidents])
        notices: list[tuple[Any, ...]] = []
        looks: list[tuple[int, datetime | None]] = []
        for incident in incidents:
            planned.ended += _ended(incident, happened)
            looks.append((incident.id, _plan(incident, happened, now, notices)))
        if notices:
            cursor.execute(_INSERT_NOTICES, [now, *columns(notices, 7)])
        cursor.execute(_UPDATE_LOOKS, columns(looks, 2))
    planned.notices = sum(1 for notice in notices if notice[-1] == NoticeStatus.PLANNED)
    return planned


_Happened = dict[int, dict[str, set[Step]]]


def _happened(cursor: Any, incident_ids: list[int]) -> _Happened:
    cursor.execute(_NOTICES, [incident_ids])
    happened: _Happened = {incident_id: {} for incident_id in incident_ids}
    for incident_id, state, step in cursor.fetchall():
        happened[incident_id].setdefault(state, set()).add(Step(step))
    return happened


def _ended(incident: _Incident, happened: _Happened) -> list[tuple[int, str]]:
    """The states with notices that no longer stand: what is unsent of them dies (R4, R10)."""
    return [
        (incident.id, state)
        for state in happened[incident.id]
        if incident.closed or state != incident.state
    ]


def _plan(
    incident: _Incident, happened: _Happened, now: datetime, notices: list[tuple[Any, ...]]
) -> datetime | None:
    """Add the notices of one incident to `notices`; returns when to look at it again."""
    if incident.closed:
        return None
    done = happened[incident.id].get(incident.state, set())
    decision = plan(incident.state, incident.since, done, now)
    steps = [(step, NoticeStatus.SUPERSEDED) for step in decision.superseded]
    if decision.send is not None:
        steps.append((decision.send, NoticeStatus.PLANNED))
    notices += [
        (
            incident.account_id, incident.id, incident.state, step, incident.since,
            due_at(incident.state, incident.since, step), status,
        )
        for step, status in steps
    ]  # fmt: skip
    return decision.next_due_at


# Served by the partial index incident_due. SKIP LOCKED: the loser of a race takes other rows.
_CLAIM = """
SELECT id, account_id, state, state_since, closed_at IS NOT NULL
FROM incident WHERE next_notice_at <= %s
ORDER BY next_notice_at, id LIMIT %s
FOR NO KEY UPDATE SKIP LOCKED"""

# Served by the unique index notice_once. A withdrawn notice is not over: it is told to those
# who were not told, should its state be entered again.
_NOTICES = """
SELECT incident_id, state, step FROM notice
WHERE incident_id = ANY(%s) AND status <> 'withdrawn'"""

_INSERT_NOTICES = """
INSERT INTO notice (planned_at, account_id, incident_id, state, step, state_since, due_at, status)
SELECT %s, batch.*
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[],
            %s::timestamptz[], %s::text[]) AS batch
ON CONFLICT (incident_id, state, step) DO UPDATE
SET planned_at = excluded.planned_at, state_since = excluded.state_since,
    due_at = excluded.due_at, status = excluded.status
WHERE notice.status = 'withdrawn'"""

_UPDATE_LOOKS = """
UPDATE incident SET next_notice_at = batch.look
FROM unnest(%s::bigint[], %s::timestamptz[]) AS batch (id, look)
WHERE incident.id = batch.id"""
