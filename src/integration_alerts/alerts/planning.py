"""From incidents to notices: which step of which incident is due (SPEC R5 to R10).

`rules.schedule` decides; this finds the incidents that need a look, and writes the decision down.
Does not know who is told: that is composing, in the layer above.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from integration_alerts.alerts.models import NoticeStatus
from integration_alerts.directory.columns import columns
from integration_alerts.rules.schedule import Step, due_at, plan
from integration_alerts.rules.states import State

BATCH = 500


@dataclass(frozen=True, slots=True)
class DueIncident:
    """An incident that is due for a look, under this transaction's lock."""

    id: int
    account_id: int
    state: State
    since: datetime
    closed: bool


def claim_due(now: datetime, limit: int = BATCH) -> list[DueIncident]:
    """Lock up to `limit` incidents that are due for a look. Call inside a transaction.

    Several workers may run it at once: each takes incidents that no other holds, and a crash leaves
    the incidents as they were.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [now, limit])
        return [
            DueIncident(id_, account_id, State(state), since, closed)
            for id_, account_id, state, since, closed in cursor.fetchall()
        ]


def plan_claimed(incidents: Sequence[DueIncident], now: datetime) -> int:
    """Write down what is due for claimed incidents; returns how many notices wait to be composed.

    What was unsent about states that ended must have been withdrawn before, in this transaction:
    a withdrawn notice is not one that happened.
    """
    if not incidents:
        return 0
    with connection.cursor() as cursor:
        happened = _happened(cursor, [incident.id for incident in incidents])
        notices: list[tuple[Any, ...]] = []
        looks = [
            (incident.id, _plan(incident, happened[incident.id], now, notices))
            for incident in incidents
        ]
        if notices:
            cursor.execute(_INSERT_NOTICES, [now, *columns(notices, 7)])
        cursor.execute(_UPDATE_LOOKS, columns(looks, 2))
    return sum(1 for notice in notices if notice[-1] == NoticeStatus.PLANNED)


def _happened(cursor: Any, incident_ids: list[int]) -> dict[int, dict[str, set[Step]]]:
    cursor.execute(_NOTICES, [incident_ids])
    happened: dict[int, dict[str, set[Step]]] = {incident_id: {} for incident_id in incident_ids}
    for incident_id, state, step in cursor.fetchall():
        happened[incident_id].setdefault(state, set()).add(Step(step))
    return happened


def _plan(
    incident: DueIncident,
    happened: dict[str, set[Step]],
    now: datetime,
    notices: list[tuple[Any, ...]],
) -> datetime | None:
    """Add the notices of one incident to `notices`; returns when to look at it again."""
    if incident.closed:
        return None
    decision = plan(incident.state, incident.since, happened.get(incident.state, set()), now)
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
