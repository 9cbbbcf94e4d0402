"""Deletions that can be taken back: kept in the session of whoever deleted, for a short while."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

from integration_alerts.alerts.subscribing import Deleted
from integration_alerts.directory.models import Member
from integration_alerts.rules.permissions import Scope

UNDOABLE_FOR = timedelta(minutes=10)
_KEY = "deleted_alerts"
_KEPT = 5
_TIMES = ("created_at", "paused_at")


def keep(request: HttpRequest, alert_id: int, deleted: Deleted, now: datetime) -> str:
    """Remember a deletion; returns the key that takes it back."""
    values = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in deleted.values.items()
    }
    chosen = None if deleted.scope.chosen is None else sorted(deleted.scope.chosen)
    entry = {"alert": alert_id, "values": values, "chosen": chosen, "at": now.isoformat()}
    key = uuid4().hex
    kept = {**request.session.get(_KEY, {}), key: entry}
    request.session[_KEY] = dict(list(kept.items())[-_KEPT:])
    return key


def take(request: HttpRequest, account_id: int, key: str, now: datetime) -> Deleted | None:
    """The deletion of this account with this key, once; None when it can no longer be undone."""
    kept = request.session.get(_KEY, {})
    entry = kept.get(key)
    if entry is None or entry["values"]["account_id"] != account_id:
        return None
    request.session[_KEY] = {other: kept[other] for other in kept if other != key}
    if now - datetime.fromisoformat(entry["at"]) > UNDOABLE_FOR:
        return None
    return _read(entry)


def was_deleted(request: HttpRequest, account_id: int, alert_id: int) -> bool:
    """Whether this person deleted this alert a moment ago, in another tab or by a double click."""
    return any(
        entry["alert"] == alert_id and entry["values"]["account_id"] == account_id
        for entry in request.session.get(_KEY, {}).values()
    )


def _read(entry: dict[str, Any]) -> Deleted:
    values = {
        name: parse_datetime(value) if name in _TIMES and value else value
        for name, value in entry["values"].items()
    }
    chosen = None if entry["chosen"] is None else frozenset(entry["chosen"])
    member = Member.objects.get(pk=entry["values"]["member_id"])
    return Deleted(values, Scope(chosen), member)
