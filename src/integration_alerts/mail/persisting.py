"""Writing to the database what a mail server has said, however long the database is away.

What is forgotten here is sent twice (R24).
"""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection

Result = TypeVar("Result")
_STOPPING_PATIENCE_SECONDS = 30

logger = logging.getLogger(__name__)


def persist(action: Callable[[], Result], stopping: Callable[[], bool]) -> Result:
    """Try until it succeeds; once the worker is stopping, no longer than half a minute."""
    patience = _STOPPING_PATIENCE_SECONDS
    while True:
        try:
            return action()
        except (OperationalError, InterfaceError) as error:
            if stopping():
                patience -= 1
            if not patience:
                raise
            logger.warning("the database is away, trying again: %s", str(error).strip())
            close_old_connections()
            time.sleep(1)


def let_go_of_connection() -> None:
    """Give this thread's connection back to the pool, or let it end if it is broken.

    A thread that waits for one mail server must not hold one.
    """
    if not connection.in_atomic_block:
        connection.close()
