"""How the outbox stands as a whole: what waits, since when, and when mail was last taken over.

Counts no further than `COUNTED`, so that looking is cheap however much waits.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Min

from integration_alerts.mail.models import DeliveryAttempt, Email, EmailStatus
from integration_alerts.rules.retry import Phase

COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class QueueState:
    """The outbox at a moment. Numbers of `COUNTED` mean: that many, or more."""

    due: int
    """Could go now."""
    later: int
    """Wait for others to go with, for their turn, or for another attempt."""
    sending: int
    oldest: datetime | None
    """When the oldest of the queued ones was put together."""
    last_accepted_at: datetime | None


def queue_state(now: datetime) -> QueueState:
    """Look at the outbox: five bounded queries."""
    queued = Email.objects.filter(status=EmailStatus.QUEUED.value)
    sending = Email.objects.filter(status=EmailStatus.SENDING.value)
    first = queued.order_by("next_attempt_at")[:COUNTED]
    return QueueState(
        due=queued.filter(next_attempt_at__lte=now)[:COUNTED].count(),
        later=queued.filter(next_attempt_at__gt=now)[:COUNTED].count(),
        sending=sending[:COUNTED].count(),
        oldest=first.aggregate(oldest=Min("date"))["oldest"],
        last_accepted_at=_last_accepted_at(),
    )


def _last_accepted_at() -> datetime | None:
    latest = DeliveryAttempt.objects.order_by("-id").values("phase", "code", "finished_at")
    for attempt in latest[:COUNTED].iterator(chunk_size=100):
        if attempt["phase"] == Phase.ACCEPTANCE and (attempt["code"] or 0) // 100 == 2:
            moment: datetime = attempt["finished_at"]
            return moment
    return None
