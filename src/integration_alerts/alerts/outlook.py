"""What will be told next about an integration, and what was told so far.

Reads only; `rules.schedule` decides what is due. Emails are the layer above's business.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from integration_alerts.alerts.models import Notice, NoticeStatus
from integration_alerts.integrations.models import Incident, Integration
from integration_alerts.integrations.story import Place, older
from integration_alerts.rules.schedule import STEPS, Step, due_at, plan
from integration_alerts.rules.states import State

KIND = 1  # in a timeline, a notice comes after the change that it tells of


class Prospect(StrEnum):
    """What will come, in one word."""

    NOTHING = "nothing"  # no incident is open
    NOW = "now"  # a mail is being put together
    LATER = "later"  # a step will fall due
    OVER = "over"  # the last reminder has happened (R9)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What comes next if nothing changes."""

    prospect: Prospect
    step: Step | None = None
    at: datetime | None = None


def outlook(integration: Integration, incident: Incident | None, now: datetime) -> Outlook:
    """What will be told next about an integration and its open incident."""
    if incident is None or not integration.company.active:
        return Outlook(Prospect.NOTHING)
    state = State(incident.state)
    rows = Notice.objects.filter(incident=incident, state=state.value)
    told = dict(rows.exclude(status=NoticeStatus.WITHDRAWN).values_list("step", "status"))
    decision = plan(state, incident.state_since, {Step(step) for step in told}, now)
    if decision.send is not None or NoticeStatus.PLANNED.value in told.values():
        return Outlook(Prospect.NOW)
    if decision.next_due_at is None:
        return Outlook(Prospect.OVER)
    times = {due_at(state, incident.state_since, step): step for step in STEPS}
    return Outlook(Prospect.LATER, times[decision.next_due_at], decision.next_due_at)


def notices(integration: Integration, limit: int, place: Place | None) -> list[Notice]:
    """The notices of an integration, the newest first, after a place in its timeline."""
    rows = Notice.objects.filter(
        older(place, KIND, "planned_at"), incident__integration=integration
    )
    return list(rows.order_by("-planned_at", "-pk")[:limit])
