"""Times and numbers in words, as the pages say them."""

from datetime import UTC, datetime, timedelta, tzinfo

from integration_alerts.mail.moments import largest_unit
from integration_alerts.mail.text import count

__all__ = ["ago", "count", "day", "exact", "plain"]

_RELATIVE_FOR = timedelta(days=60)


def ago(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """How long ago, or in how long; beyond two months, the date says more."""
    distance = abs(now - moment)
    if distance > _RELATIVE_FOR:
        return day(moment, zone)
    words = largest_unit(distance)
    if moment <= now:
        return f"{words} ago" if words else "just now"
    return f"in {words}" if words else "in a moment"


def day(moment: datetime, zone: tzinfo) -> str:
    """The date, in the reader's zone."""
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y}"


def exact(moment: datetime, zone: tzinfo, *, with_utc: bool = True) -> str:
    """The date and time in the reader's zone, which is named, and in UTC."""
    local = moment.astimezone(zone)
    utc = moment.astimezone(UTC)
    name = f"{local:%Z}"
    if name == "UTC":
        return f"{utc.day} {utc:%b %Y, %H:%M:%S} UTC"
    zone_name = name if name.isalpha() else f"UTC{name}"  # zones without letters: -03
    text = f"{local.day} {local:%b %Y, %H:%M} {zone_name}"
    if not with_utc:
        return text
    other_day = "" if utc.date() == local.date() else f" of {utc.day} {utc:%b}"
    return f"{text}, {utc:%H:%M:%S} UTC{other_day}"


def plain(text: str) -> str:
    """What was typed into a search, as the database can take it."""
    return text.replace("\0", "").strip()
