"""One integration as its page tells of it: how it stands, and what was reported over time.

Reads only. Which companies a reader may see is the caller's business.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from django.db.models import Q

from integration_alerts.directory.models import Member
from integration_alerts.integrations.models import Incident, Integration, StateChange
from integration_alerts.rules.states import State

_CHANGES = 2000  # of the bar; whatever flaps more than this, its bar begins later


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a timeline, newest first: a time, then the kind of entry, then its id."""

    at: datetime
    kind: int
    id: int


@dataclass(frozen=True, slots=True)
class Change:
    """A report of the timeline; `member` made it, where its actor is a member of the account."""

    row: StateChange
    member: Member | None
    place: Place


KIND = 0  # a change comes before the notices that follow from it


def find(
    account_id: int, company_ids: Collection[int] | None, integration_id: int
) -> Integration | None:
    """An integration that the reader may see, with its company; None: there is none."""
    rows = Integration.objects.select_related("company", "account").filter(
        account=account_id, deleted_at=None, pk=integration_id
    )
    if company_ids is not None:
        rows = rows.filter(company__in=company_ids)
    return rows.first()


def open_incident(integration: Integration) -> Incident | None:
    """The integration's open incident; None: it has none."""
    return Incident.objects.filter(integration=integration, closed_at=None).first()


def older(place: Place | None, kind: int, field: str) -> Q:
    """The rows of one kind that come after a place in the timeline, by their time `field`."""
    if place is None:
        return Q()
    earlier = Q(**{f"{field}__lt": place.at})
    if kind > place.kind:
        return earlier
    if kind < place.kind:
        return earlier | Q(**{field: place.at})
    return earlier | Q(**{field: place.at, "pk__lt": place.id})


def changes(integration: Integration, limit: int, place: Place | None) -> list[Change]:
    """The reports that changed the state or came too late to, the newest first."""
    rows = list(
        StateChange.objects.filter(older(place, KIND, "occurred_at"), integration=integration)
        .order_by("-occurred_at", "-pk")[:limit]
    )  # fmt: skip
    actors = {row.actor for row in rows if row.actor}
    members = Member.objects.filter(account=integration.account_id, external_id__in=actors)
    known = {member.external_id: member for member in members}
    return [Change(row, known.get(row.actor), Place(row.occurred_at, KIND, row.pk)) for row in rows]


def states(integration: Integration, since: datetime) -> list[tuple[datetime, State]]:
    """The changes of the state since a time, and the last one before it, the oldest first."""
    rows = StateChange.objects.filter(integration=integration, stale=False)
    newest = rows.order_by("-occurred_at", "-pk").only("occurred_at", "state")
    recent = list(newest.filter(occurred_at__gte=since)[:_CHANGES])
    if len(recent) < _CHANGES:
        recent += newest.filter(occurred_at__lt=since)[:1]
    recent.sort(key=attrgetter("occurred_at", "pk"))
    return [(row.occurred_at, State(row.state)) for row in recent]
