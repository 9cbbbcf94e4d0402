"""Deleting the notices of incidents that go (`rules.retention` decides which do)."""

from collections.abc import Collection

from integration_alerts.directory.statements import fetch, run


def waiting(incident_ids: Collection[int]) -> set[int]:
    """Those of these incidents that have a notice which is still to be put into emails."""
    return {incident_id for (incident_id,) in fetch(_WAITING, [list(incident_ids)])}


def delete_notices(incident_ids: Collection[int]) -> int:
    """Delete the notices of these incidents, which no email may carry any more."""
    return run("DELETE FROM notice WHERE incident_id = ANY(%s)", [list(incident_ids)])


# Served by the unique index notice_once.
_WAITING = """
SELECT DISTINCT incident_id FROM notice WHERE incident_id = ANY(%s) AND status = 'planned'"""
