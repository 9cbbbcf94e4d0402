"""Times in mails: the exact one first, in the account's time zone, then how long ago.

The moment to reckon from is a parameter: the one at which the mail is written.
"""

from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from integration_alerts.mail.text import count

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_UNITS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)


def exact(moment: datetime, time_zone: str) -> str:
    """`3 May 2026, 09:12`, in this zone (an IANA name)."""
    local = moment.astimezone(_zone(time_zone))
    month = _MONTHS[local.month - 1]
    return f"{local.day} {month} {local.year}, {local.hour:02}:{local.minute:02}"


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


@cache
def _zone(name: str) -> ZoneInfo:
    # ZoneInfo's own cache keeps eight; accounts may be in more, and each is a file to read.
    return ZoneInfo(name)
