"""The rows behind a batch of reports: finding, locking and saving them, a few statements a batch.

All locks are taken in one order (event ids, then integrations by id), so that batches that meet
wait for each other instead of deadlocking. Decides nothing; `reporting` does.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from integration_alerts.directory.columns import array, columns
from integration_alerts.directory.statements import fetch, run
from integration_alerts.integrations.report_batch import (
    Accepted,
    Change,
    IncidentRow,
    Key,
    Known,
    Row,
    Tenant,
)
from integration_alerts.integrations.reports import Report
from integration_alerts.rules.flapping import NONE, Openings
from integration_alerts.rules.schedule import first_look_at
from integration_alerts.rules.states import UNHEALTHY, Standing, State

Values = tuple[Any, ...]


def resolve(reports: Sequence[Report]) -> Known:
    """Look up the accounts, companies and integrations that a batch names."""
    accounts = {
        name: Tenant(id_, active)
        for id_, name, active in fetch(_ACCOUNTS, [array({r.account for r in reports})])
    }
    ids = {name: account.id for name, account in accounts.items()}
    named = [(ids[r.account], r) for r in reports if r.account in ids]
    companies = {
        (account_id, name): Tenant(id_, active)
        for account_id, name, id_, active in fetch(
            _COMPANIES, columns({(account_id, r.company) for account_id, r in named}, 2)
        )
    }
    found = fetch(
        _INTEGRATIONS, columns({(account_id, r.integration) for account_id, r in named}, 2)
    )
    return Known(
        accounts,
        companies,
        {(account_id, name): id_ for account_id, name, id_, _ in found},
        {(account_id, name): company_id for account_id, name, _, company_id in found},
    )


def claim_event_ids(accepted: Sequence[Accepted], now: datetime) -> set[Key]:
    """Note the event ids that are new, for good; returns them. The others are duplicates (R2)."""
    keys = {(each.account_id, each.report.id) for each in accepted}
    return set(fetch(_INSERT_RECEIPTS, [now, *columns(keys, 2)]))


def lock_integrations(fresh: Sequence[Accepted], known: Known) -> dict[Key, Row]:
    """Make the integrations that are new, lock all that the fresh reports name, and read them."""
    wanted = {(each.account_id, each.report.integration) for each in fresh}
    missing = wanted.difference(known.integrations)
    if missing:
        _make_integrations(missing, known)
    # Two statements: after waiting for a lock, a join would still show the incident of before.
    locked = fetch(_LOCK_INTEGRATIONS, [array(known.integrations[key] for key in wanted)])
    rows = {}
    for id_, account_id, name, state, since, reported_at, last, earlier, flapping, *told in locked:
        standing = Standing(_STATES[state], since, reported_at)
        openings = Openings(last, earlier, flapping) if last else NONE
        rows[account_id, name] = Row(id_, account_id, name, standing, openings, *told)
    _find_incidents(fresh, rows)
    return rows


def save(rows: Iterable[Row], changes: Sequence[Change], now: datetime) -> None:
    """Write the batch: standings, history, incidents."""
    rows = list(rows)
    changed = [row for row in rows if row.changed]
    _save_integrations(
        [(row.id, row.standing.reported_at) for row in rows if row.confirmed and not row.changed],
        [_integration_values(row) for row in changed],
    )
    if changes:
        run(_INSERT_CHANGES, [now, *columns((_change_values(change) for change in changes), 9)])
    _save_incidents([(row, incident) for row in changed for incident in row.incidents], now)


def _make_integrations(missing: Collection[Key], known: Known) -> None:
    made = fetch(_INSERT_INTEGRATIONS, columns({(*key, known.owners[key]) for key in missing}, 3))
    if len(made) < len(missing):  # another batch has made them meanwhile
        made = fetch(_INTEGRATIONS, columns(missing, 2))
    for account_id, name, id_, _ in made:
        known.integrations[account_id, name] = id_


def _save_integrations(confirmed: Sequence[Values], changed: Sequence[Values]) -> None:
    if confirmed and changed:
        run(_CONFIRM_AND_UPDATE, [*columns(confirmed, 2), *columns(changed, 13)])
    elif confirmed:
        run(_CONFIRM_INTEGRATIONS, columns(confirmed, 2))
    elif changed:
        run(_UPDATE_INTEGRATIONS, columns(changed, 13))


def _find_incidents(fresh: Sequence[Accepted], rows: dict[Key, Row]) -> None:
    """Read the open incidents of the integrations whose state will be another one."""
    moving: dict[int, Row] = {}
    for _, report, account_id in fresh:
        row = rows[account_id, report.integration]
        state = row.standing.state
        if state is not report.state and state in UNHEALTHY:
            moving[row.id] = row
    if moving:
        for id_, integration_id, state, since, opened_at in fetch(_OPEN_INCIDENTS, [array(moving)]):
            moving[integration_id].incident = IncidentRow(State(state), since, opened_at, id_)


def _save_incidents(touched: Sequence[tuple[Row, IncidentRow]], now: datetime) -> None:
    opened = [_incident_values(row, new, now) for row, new in touched if new.id is None]
    changed = [(old.id, *_incident_values(row, old, now)[3:]) for row, old in touched if old.id]
    if changed:  # before the new ones: an integration has one open incident at most
        run(_UPDATE_INCIDENTS, columns(sorted(changed), 6))
    if opened:
        run(_INSERT_INCIDENTS, columns(opened, 8))


def _integration_values(row: Row) -> Values:
    openings = row.openings
    return (
        row.id, *row.standing, openings.last, openings.earlier, openings.flapping_since, row.name,
        row.provider, row.fix_url, row.connection, row.reason_code, row.reason_message,
    )  # fmt: skip


def _change_values(change: Change) -> Values:
    report, reason = change.report, change.report.reason
    return (
        change.row.account_id, change.row.id, report.id, report.state, report.occurred_at,
        change.stale, reason.code if reason else "", reason.message if reason else "",
        report.actor or "",
    )  # fmt: skip


def _incident_values(row: Row, incident: IncidentRow, now: datetime) -> Values:
    # A closed one, and one that changed its state, are planned at once: what is queued must go.
    continued = incident.id is not None or incident.closed_at is not None
    look = now if continued else first_look_at(incident.state, incident.since, now)
    return (
        row.account_id, row.id, incident.flapping_since, incident.state, incident.since,
        incident.opened_at, incident.closed_at, look,
    )  # fmt: skip


_STATES: dict[str | None, State | None] = {None: None, **{state.value: state for state in State}}

_ACCOUNTS = "SELECT id, external_id, active FROM account WHERE external_id = ANY(%s::text[])"

_BY_KEYS = """
 JOIN unnest(%s::bigint[], %s::text[]) AS batch (account_id, external_id)
USING (account_id, external_id)"""
_COMPANIES = "SELECT account_id, external_id, id, active FROM company" + _BY_KEYS
# Served by the unique index integration_external_id.
_INTEGRATIONS = "SELECT account_id, external_id, id, company_id FROM integration" + _BY_KEYS

_INSERT_RECEIPTS = """
INSERT INTO report_receipt (account_id, event_id, received_at)
SELECT account_id, event_id, %s
FROM unnest(%s::bigint[], %s::text[]) AS batch (account_id, event_id)
ORDER BY account_id, event_id
ON CONFLICT DO NOTHING
RETURNING account_id, event_id"""

_INSERT_INTEGRATIONS = """
INSERT INTO integration (account_id, external_id, company_id, name, provider, fix_url, connection,
                         reason_code, reason_message)
SELECT account_id, external_id, company_id, '', '', '', '', '', ''
FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS batch (account_id, external_id, company_id)
ORDER BY account_id, external_id
ON CONFLICT DO NOTHING
RETURNING account_id, external_id, id, company_id"""

_LOCK_INTEGRATIONS = """
SELECT id, account_id, external_id, state, state_since, reported_at, last_opened_at,
       earlier_opened_at, flapping_since, name, provider, fix_url, connection, reason_code,
       reason_message
FROM integration WHERE id = ANY(%s::bigint[])
ORDER BY id
FOR NO KEY UPDATE"""

# Served by the partial unique index incident_one_open.
_OPEN_INCIDENTS = """
SELECT id, integration_id, state, state_since, opened_at
FROM incident WHERE integration_id = ANY(%s::bigint[]) AND closed_at IS NULL"""

# No index holds reported_at: the new version stays on its page (HOT) while that has room. Naming
# the state saves most of the time: where an UPDATE names no column that a generated one is made of,
# PostgreSQL reads that column's expression anew for each row.
_CONFIRM_INTEGRATIONS = """
UPDATE integration SET reported_at = batch.reported_at, state = integration.state
FROM unnest(%s::bigint[], %s::timestamptz[]) AS batch (id, reported_at)
WHERE integration.id = batch.id"""

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

_CONFIRM_AND_UPDATE = f"WITH confirmed AS ({_CONFIRM_INTEGRATIONS}){_UPDATE_INTEGRATIONS}"

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
