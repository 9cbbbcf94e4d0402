"""Pruning what this layer owns: history, event ids, incidents (`rules.retention` decides).

Each function is one short piece of work inside the caller's transaction, which takes no lock that
reports wait for. How often, and how far, is `engine.retention`'s business.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from integration_alerts.directory.statements import fetch, run
from integration_alerts.directory.walking import Place, Stretch, older
from integration_alerts.rules.retention import ChangeFacts, spent
from integration_alerts.rules.states import FUTURE_TOLERANCE


@dataclass(frozen=True, slots=True)
class ClosedIncident:
    """A closed incident; `at_work`: planning has yet to look at its end."""

    id: int
    closed_at: datetime
    at_work: bool


def prune_changes(place: Place, *, horizon: datetime, limit: int, dry: bool) -> Stretch:
    """Prune the history of the integrations that the next changes before the horizon belong to.

    By the time that they were received, in the order of their ids, so that no index on a time has
    to be kept up by every report. `dry` only counts.
    """
    met = older(fetch(_NEXT_CHANGES, [place.id, limit]), horizon)
    if not met:
        return Stretch(place, ended=True)
    last, latest = met[-1][0], max(row[1] for row in met)
    integrations = list({row[2] for row in met})
    opened = dict(fetch(_OPEN_INCIDENTS, [integrations]))
    changes: dict[int, list[ChangeFacts]] = defaultdict(list)
    for integration, *facts in fetch(_CHANGES, [integrations, latest + FUTURE_TOLERANCE, last]):
        changes[integration].append(ChangeFacts(*facts))
    gone = [id_ for each, known in changes.items() for id_ in spent(known, opened.get(each))]
    if gone and not dry:
        run("DELETE FROM state_change WHERE id = ANY(%s)", [gone])
    ended = len(met) < limit
    return Stretch(Place(met[-1][1], last), ended, {"state changes": len(gone)})


def prune_receipts(place: Place, *, horizon: datetime, limit: int, dry: bool) -> Stretch:
    """Forget the event ids of reports that came before the horizon; `dry` only counts."""
    sql = _COUNT_RECEIPTS if dry else _DELETE_RECEIPTS
    ((count, latest),) = fetch(sql, [place.at, horizon, *([] if dry else [limit])])
    return Stretch(
        Place(latest or place.at), ended=dry or count < limit, pruned={"event ids": count}
    )


def closed_incidents(place: Place, horizon: datetime, limit: int) -> list[ClosedIncident]:
    """The next incidents behind a place that closed before the horizon, the first closed first."""
    rows = fetch(_CLOSED, [place.at, place.id, horizon, limit])
    return [ClosedIncident(*row) for row in rows]


def delete_incidents(incident_ids: Collection[int]) -> int:
    """Delete incidents whose notices are gone."""
    return run("DELETE FROM incident WHERE id = ANY(%s)", [list(incident_ids)])


_NEXT_CHANGES = """
SELECT id, received_at, integration_id FROM state_change WHERE id > %s ORDER BY id LIMIT %s"""

# Served by state_change_timeline: nothing that was received by then can have occurred later.
_CHANGES = """
SELECT integration_id, id, occurred_at, stale FROM state_change
WHERE integration_id = ANY(%s) AND occurred_at <= %s AND id <= %s"""

# Served by the partial unique index incident_one_open.
_OPEN_INCIDENTS = """
SELECT integration_id, opened_at FROM incident
WHERE integration_id = ANY(%s) AND closed_at IS NULL"""

# Served by the index report_receipt_received. The place spares it the entries of rows that are gone
# and not vacuumed yet.
_DELETE_RECEIPTS = """
WITH gone AS (
    DELETE FROM report_receipt
    WHERE ctid = ANY(ARRAY(SELECT ctid FROM report_receipt
                           WHERE received_at >= %s AND received_at < %s
                           ORDER BY received_at LIMIT %s))
    RETURNING received_at
)
SELECT count(*), max(received_at) FROM gone"""

_COUNT_RECEIPTS = """
SELECT count(*), max(received_at) FROM report_receipt WHERE received_at >= %s AND received_at < %s
"""

# Served by the partial index incident_closed. SKIP LOCKED: whoever holds one is still at work.
_CLOSED = """
SELECT id, closed_at, next_notice_at IS NOT NULL FROM incident
WHERE (closed_at, id) > (%s, %s) AND closed_at < %s
ORDER BY closed_at, id LIMIT %s
FOR UPDATE SKIP LOCKED"""
