"""Trying a transaction again when PostgreSQL ended it for another's sake (a deadlock)."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError
from procrastinate.exceptions import ConnectorException

TRIES = 8
_PAUSE_SECONDS = 0.05
_DEADLOCK = "40P01"

Result = TypeVar("Result")


def is_away(error: Exception) -> bool:
    """Whether an error means that the database cannot be reached, or is ending connections."""
    if not isinstance(error, InterfaceError | OperationalError | ConnectorException):
        return False
    # Without a state it is not the server that speaks; 57: an operator's intervention.
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(("08", "57P"))


def retry_deadlocks(transaction: Callable[[], Result]) -> Result:
    """Run a whole transaction, again after a pause when it lost a deadlock; bounded in tries.

    The pauses grow and differ, so that two that met do not meet again.
    """
    for attempt in range(1, TRIES):
        try:
            return transaction()
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) != _DEADLOCK:
                raise
        time.sleep(attempt * _PAUSE_SECONDS * (1 + random.random()))  # noqa: S311
    return transaction()
