"""From incidents to notices: which step of which incident is due (SPEC R5 to R10, R23).

`rules.schedule` and `rules.flapping` decide; this finds the incidents that need a look, and writes
the decision down. Does not know who is told: that is composing, in the layer above.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from integration_alerts.alerts.models import NoticeStatus
from integration_alerts.directory.columns import columns
from integration_alerts.rules import flapping
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
    opened_at: datetime
    flapping_since: datetime | None


def claim_due(now: datetime, limit: int = BATCH) -> list[DueIncident]:
    """Lock up to `limit` incidents that are due for a look. Call inside a transaction.

    Several workers may run it at once: each takes incidents that no other holds, and a crash leaves
    the incidents as they were.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [now, limit])
        return [
            DueIncident(id_, account_id, State(state), *facts)
            for id_, account_id, state, *facts in cursor.fetchall()
        ]


def plan_claimed(incidents: Sequence[DueIncident], now: datetime, *, damped: bool = True) -> int:
    """Write down what is due for claimed incidents; returns how many notices wait to be composed.

    `damped`: whether alerts of flapping integrations say so (R23); composing holds them back from
    those who know it.

    What was unsent about states that ended must have been withdrawn before, in this transaction:
    a withdrawn notice is not one that happened.
    """
    if not incidents:
        return 0
    with connection.cursor() as cursor:
        happened = _happened(cursor, [incident.id for incident in incidents])
        notices: list[tuple[Any, ...]] = []
        looks: list[tuple[int, datetime | None]] = []
        for incident in incidents:
            planned, look = _plan(incident, happened[incident.id], now)
            notices += [_as_row(incident, step, status, damped=damped) for step, status in planned]
            looks.append((incident.id, look))
        if notices:
            cursor.execute(_INSERT_NOTICES, [now, *columns(notices, 8)])
        cursor.execute(_UPDATE_LOOKS, columns(looks, 2))
    return sum(1 for notice in notices if notice[6] == NoticeStatus.PLANNED)


def _happened(cursor: Any, incident_ids: list[int]) -> dict[int, dict[str, set[Step]]]:
    cursor.execute(_NOTICES, [incident_ids])
    happened: dict[int, dict[str, set[Step]]] = {incident_id: {} for incident_id in incident_ids}
    for incident_id, state, step in cursor.fetchall():
        happened[incident_id].setdefault(state, set()).add(Step(step))
    return happened


def _plan(
    incident: DueIncident, happened: dict[str, set[Step]], now: datetime
) -> tuple[list[tuple[Step, NoticeStatus]], datetime | None]:
    """The steps of one incident that are due, and when to look at it again."""
    if incident.closed:
        return [], None
    decision = plan(incident.state, incident.since, happened.get(incident.state, set()), now)
    steps = [(step, NoticeStatus.SUPERSEDED) for step in decision.superseded]
    if decision.send is not None:
        steps.append((decision.send, NoticeStatus.PLANNED))
    return steps, decision.next_due_at


def _as_row(
    incident: DueIncident, step: Step, status: NoticeStatus, *, damped: bool
) -> tuple[Any, ...]:
    due = due_at(incident.state, incident.since, step)
    says_so = flapping.says_so(incident.flapping_since, incident.opened_at, due)
    return (
        incident.account_id, incident.id, incident.state, step, incident.since, due, status,
        damped and step is Step.ALERT and says_so,
    )  # fmt: skip


# Served by the partial index incident_due. SKIP LOCKED: the loser of a race takes other rows.
_CLAIM = """
SELECT id, account_id, state, state_since, closed_at IS NOT NULL, opened_at, flapping_since
FROM incident WHERE next_notice_at <= %s
ORDER BY next_notice_at, id LIMIT %s
FOR NO KEY UPDATE SKIP LOCKED"""

# Served by the unique index notice_once. A withdrawn notice is not over: it is told to those
# who were not told, should its state be entered again.
_NOTICES = """
SELECT incident_id, state, step FROM notice
WHERE incident_id = ANY(%s) AND status <> 'withdrawn'"""

_INSERT_NOTICES = """
INSERT INTO notice (planned_at, account_id, incident_id, state, step, state_since, due_at, status,
                    flapping)
SELECT %s, batch.*
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[],
            %s::timestamptz[], %s::text[], %s::boolean[]) AS batch
ON CONFLICT (incident_id, state, step) DO UPDATE
SET planned_at = excluded.planned_at, state_since = excluded.state_since,
    due_at = excluded.due_at, status = excluded.status, flapping = excluded.flapping
WHERE notice.status = 'withdrawn'"""

_UPDATE_LOOKS = """
UPDATE incident SET next_notice_at = batch.look
FROM unnest(%s::bigint[], %s::timestamptz[]) AS batch (id, look)
WHERE incident.id = batch.id"""
