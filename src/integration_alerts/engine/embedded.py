"""Holding the embedded database of this installation, without Django: light processes do it too."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from integration_alerts.configuration import Configuration
from integration_alerts.engine.postgres import EmbeddedPostgres

logger = logging.getLogger(__name__)


@contextmanager
def running(configuration: Configuration) -> Iterator[Callable[[], None]]:
    """Hold the embedded database while the block runs; with DATABASE_URL, do nothing.

    Yields a function that starts the database again if it has died. Raises EmbeddedPostgresError.
    """
    if not configuration.embedded:
        yield lambda: None
        return
    with EmbeddedPostgres(configuration.data_dir, binaries=configuration.postgres_bin) as embedded:

        def tend() -> None:
            if not embedded.alive():
                logger.error("the embedded database ended; starting it again")
                embedded.acquire()

        yield tend
