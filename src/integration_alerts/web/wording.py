"""Times and numbers in words, as the pages say them."""

from datetime import UTC, datetime, timedelta, tzinfo

_UNITS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
)
_RELATIVE_FOR = timedelta(days=60)


def ago(moment: datetime, now: datetime, zone: tzinfo) -> str:
    """How long ago, or in how long; beyond two months, the date says more."""
    distance = abs(now - moment)
    if distance > _RELATIVE_FOR:
        return day(moment, zone)
    for unit, name in _UNITS:
        if distance >= unit:
            words = count(distance // unit, name)
            return f"{words} ago" if moment <= now else f"in {words}"
    return "just now" if moment <= now else "in a moment"


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


def count(number: int, noun: str, plural: str = "") -> str:
    """A number of things: `1 company`, `3 companies`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
