"""How often something may happen: at most so many times in any stretch of time, in all processes.

Each of the times is a row that, once taken, is free again after that stretch. `pacing.forget_old`
deletes the rows that nobody needs any more. For the pace of mailers, see `rules.pace`.
"""

from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Min

from integration_alerts.mail.models import SendingPace


def take(name: str, times: int, within: timedelta, now: datetime) -> datetime | None:
    """Use one of the times that `name` may have; None: it was free. Else: when the next one is.

    Call it in the transaction of what it allows: if that fails, nothing was used.
    """
    rows = [f"{name}, {number} of {times}" for number in range(1, times + 1)]
    for row in rows:
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [row, now + within, now])
            if cursor.fetchone():
                return None
    found: datetime = SendingPace.objects.filter(lane__in=rows).aggregate(next=Min("free_at"))[
        "next"
    ]
    return found


# Of two that want the same row, the later waits for the other's commit and then finds it taken.
_TAKE = """
INSERT INTO sending_pace (lane, free_at) VALUES (%s, %s)
ON CONFLICT (lane) DO UPDATE SET free_at = excluded.free_at WHERE sending_pace.free_at <= %s
RETURNING lane"""
