"""The rows behind a batch of reports: finding, locking and saving them, a few statements a batch.

All locks are taken in one order (event ids, then integrations by id), so that batches that meet
wait for each other instead of deadlocking. Decides nothing; `reporting` does.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from integration_alerts.directory.columns import columns
from integration_alerts.integrations.report_batch import (
    Change,
    IncidentRow,
    Key,
    Known,
    Row,
    Tenant,
)
from integration_alerts.integrations.reports import Report
from integration_alerts.rules.flapping import Openings
from integration_alerts.rules.schedule import first_look_at
from integration_alerts.rules.states import Standing, State


def resolve(reports: Sequence[Report]) -> Known:
    """Look up the accounts, companies and integrations that a batch names."""
    accounts = {
        name: Tenant(id_, active)
        for id_, name, active in _fetch(
            "SELECT id, external_id, active FROM account WHERE external_id = ANY(%s)",
            [list({report.account for report in reports})],
        )
    }
    named = [(accounts[r.account].id, r) for r in reports if r.account in accounts]
    companies = {
        (account_id, name): Tenant(id_, active)
        for account_id, name, id_, active in _fetch(
            "SELECT account_id, external_id, id, active FROM company" + _BY_KEYS,
            columns({(account_id, report.company) for account_id, report in named}, 2),
        )
    }
    owners = {
        (account_id, name): company_id
        for account_id, name, company_id in _fetch(
            "SELECT account_id, external_id, company_id FROM integration" + _BY_KEYS,
            columns({(account_id, report.integration) for account_id, report in named}, 2),
        )
    }
    return Known(accounts, companies, owners)


def claim_event_ids(reports: Sequence[Report], known: Known, now: datetime) -> set[Key]:
    """Note the event ids that are new, for good; returns them. The others are duplicates (R2)."""
    keys = {(known.accounts[report.account].id, report.id) for report in reports}
    return {
        (account_id, event_id)
        for account_id, event_id in _fetch(
            """
            INSERT INTO report_receipt (account_id, event_id, received_at)
            SELECT account_id, event_id, %s
            FROM unnest(%s::bigint[], %s::text[]) AS batch (account_id, event_id)
            ORDER BY account_id, event_id
            ON CONFLICT DO NOTHING
            RETURNING account_id, event_id
            """,
            [now, *columns(keys, 2)],
        )
    }


def lock_integrations(
    reports: Sequence[Report], known: Known, fresh: Collection[Key]
) -> dict[Key, Row]:
    """Make the integrations that are new, lock all that the fresh reports name, and read them."""
    wanted: dict[Key, int] = {}
    for report in reports:
        account_id = known.accounts[report.account].id
        if (account_id, report.id) in fresh:
            company = known.companies[account_id, report.company]
            wanted.setdefault((account_id, report.integration), company.id)
    missing = {(*key, company) for key, company in wanted.items() if key not in known.owners}
    if missing:
        _execute(_INSERT_INTEGRATIONS, columns(missing, 3))
    # Two statements: after waiting for a lock, a join would still show the incident of before.
    locked = _fetch(_LOCK_INTEGRATIONS, columns(set(wanted), 2))
    rows = {
        (record[1], record[2]): Row(
            record[0], record[1], _standing(*record[3:6]), Openings(*record[6:9]), *record[9:]
        )
        for record in locked
    }
    by_id = {row.id: row for row in rows.values()}
    for id_, integration_id, state, since, opened_at in _fetch(_OPEN_INCIDENTS, [list(by_id)]):
        by_id[integration_id].incident = IncidentRow(State(state), since, opened_at, id_)
    return rows


def save(rows: Iterable[Row], changes: Sequence[Change], now: datetime) -> None:
    """Write the batch: standings, history, incidents."""
    rows = [row for row in rows if row.changed]
    if rows:
        _execute(_UPDATE_INTEGRATIONS, columns((_integration_values(row) for row in rows), 13))
    if changes:
        _execute(
            _INSERT_CHANGES, [now, *columns((_change_values(change) for change in changes), 9)]
        )
    touched = [(row, incident) for row in rows for incident in row.incidents]
    opened = [_incident_values(row, new, now) for row, new in touched if new.id is None]
    changed = [(old.id, *_incident_values(row, old, now)[3:]) for row, old in touched if old.id]
    if changed:  # before the new ones: an integration has one open incident at most
        _execute(_UPDATE_INCIDENTS, columns(sorted(changed), 6))
    if opened:
        _execute(_INSERT_INCIDENTS, columns(opened, 8))


def _standing(state: str | None, since: datetime | None, reported_at: datetime | None) -> Standing:
    return Standing(None if state is None else State(state), since, reported_at)


def _integration_values(row: Row) -> tuple[Any, ...]:
    standing, openings = row.standing, row.openings
    return (
        row.id, standing.state, standing.since, standing.reported_at, openings.last,
        openings.earlier, openings.flapping_since, row.name, row.provider, row.fix_url,
        row.connection, row.reason_code, row.reason_message,
    )  # fmt: skip


def _change_values(change: Change) -> tuple[Any, ...]:
    report, reason = change.report, change.report.reason
    return (
        change.row.account_id, change.row.id, report.id, report.state, report.occurred_at,
        change.stale, reason.code if reason else "", reason.message if reason else "",
        report.actor or "",
    )  # fmt: skip


def _incident_values(row: Row, incident: IncidentRow, now: datetime) -> tuple[Any, ...]:
    # A closed one, and one that changed its state, are planned at once: what is queued must go.
    continued = incident.id is not None or incident.closed_at is not None
    look = now if continued else first_look_at(incident.state, incident.since, now)
    return (
        row.account_id, row.id, incident.flapping_since, incident.state, incident.since,
        incident.opened_at, incident.closed_at, look,
    )  # fmt: skip


def _fetch(sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def _execute(sql: str, parameters: Sequence[Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


_BY_KEYS = """
 JOIN unnest(%s::bigint[], %s::text[]) AS batch (account_id, external_id)
USING (account_id, external_id)"""

_INSERT_INTEGRATIONS = """
INSERT INTO integration (account_id, external_id, company_id, name, provider, fix_url, connection,
                         reason_code, reason_message)
SELECT account_id, external_id, company_id, '', '', '', '', '', ''
FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS batch (account_id, external_id, company_id)
ORDER BY account_id, external_id
ON CONFLICT DO NOTHING"""

_LOCK_INTEGRATIONS = (
    """
SELECT id, account_id, external_id, state, state_since, reported_at, last_opened_at,
       earlier_opened_at, flapping_since, name, provider, fix_url, connection, reason_code,
       reason_message
FROM integration"""
    + _BY_KEYS
    + """
ORDER BY id
FOR NO KEY UPDATE OF integration"""
)

# Served by the partial unique index incident_one_open.
_OPEN_INCIDENTS = """
SELECT id, integration_id, state, state_since, opened_at
FROM incident WHERE integration_id = ANY(%s) AND closed_at IS NULL"""

_UPDATE_INTEGRATIONS = """
UPDATE integration
SET state = batch.state, state_since = batch.since, reported_at = batch.reported_at,
    last_opened_at = batch.last_opened_at, earlier_opened_at = batch.earlier_opened_at,
    flapping_since = batch.flapping_since, name = batch.name, provider = batch.provider,
    fix_url = batch.fix_url, connection = batch.connection, reason_code = batch.reason_code,
    reason_message = batch.reason_message, deleted_at = NULL
FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
            %s::timestamptz[], %s::timestamptz[], %s::text[], %s::text[], %s::text[], %s::text[],
            %s::text[], %s::text[])
     AS batch (id, state, since, reported_at, last_opened_at, earlier_opened_at, flapping_since,
               name, provider, fix_url, connection, reason_code, reason_message)
WHERE integration.id = batch.id"""

_INSERT_CHANGES = """
INSERT INTO state_change (received_at, account_id, integration_id, event_id, state, occurred_at,
                          stale, reason_code, reason_message, actor)
SELECT %s, batch.*
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::timestamptz[], %s::boolean[],
            %s::text[], %s::text[], %s::text[]) AS batch"""

_INSERT_INCIDENTS = """
INSERT INTO incident (account_id, integration_id, flapping_since, state, state_since, opened_at,
                      closed_at, next_notice_at)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::timestamptz[], %s::text[], %s::timestamptz[],
                     %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])"""

_UPDATE_INCIDENTS = """
UPDATE incident
SET state = batch.state, state_since = batch.since, closed_at = batch.closed_at,
    next_notice_at = batch.look
FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[],
            %s::timestamptz[]) AS batch (id, state, since, opened_at, closed_at, look)
WHERE incident.id = batch.id"""
