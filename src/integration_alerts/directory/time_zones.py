"""Whether a name is a time zone that this machine knows (the tz database)."""

import functools
import zoneinfo


@functools.cache
def _names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def is_time_zone(name: str) -> bool:
    """Whether `name` is an IANA time zone."""
    return name in _names()
