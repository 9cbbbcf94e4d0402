"""The one place that reads the clock: time enters the product here and is passed on as `now`."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)
