"""Times in mails: the exact one first, in the account's time zone, then how long ago.

The moment to reckon from is a parameter: the one at which the mail is written.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from integration_alerts.mail.text import count

_UNITS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


def exact(moment: datetime, time_zone: str) -> str:
    """`3 May 2026, 09:12`, in this zone (an IANA name)."""
    local = moment.astimezone(ZoneInfo(time_zone))
    return f"{local.day} {local:%B %Y, %H:%M}"


def ago(moment: datetime, now: datetime) -> str:
    """`2 hours ago`; what a platform's clock puts into the future is `just now`."""
    length = largest_unit(now - moment)
    return f"{length} ago" if length else "just now"


def largest_unit(length: timedelta) -> str:
    """A length of time by its largest unit, `2 hours`; empty for less than a minute."""
    for unit, name in _UNITS:
        if length >= unit:
            return count(length // unit, name)
    return ""


def when(moment: datetime, now: datetime, time_zone: str) -> str:
    """`3 May 2026, 09:12 (Europe/Berlin), 2 hours ago`."""
    return f"{exact(moment, time_zone)} ({time_zone}), {ago(moment, now)}"
