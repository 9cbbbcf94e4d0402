"""What commands share: settings, the database, Django, and errors as one friendly line."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from integration_alerts.configuration import Configuration, ConfigurationError, load

REJECTED = 1  # some input was rejected, or a check failed
FAILED = 1  # what was asked for could not be done
WRONG_USAGE = 2  # wrong usage or configuration
CHECKED = "INTEGRATION_ALERTS_CHECKED"  # set by `run` for its parts: the schema is up to date


def fail(message: str, code: int = WRONG_USAGE) -> NoReturn:
    """End with one line on stderr."""
    print(f"integration-alerts: {message}", file=sys.stderr)
    sys.exit(code)


def configuration() -> Configuration:
    """The settings; ends the command when one is wrong."""
    try:
        return load(os.environ)
    except ConfigurationError as error:
        fail(str(error))


def start_django(*, quiet: bool = False) -> None:
    """Load Django; `quiet` keeps the log to warnings, for commands that print their result."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "integration_alerts.settings")
    import logging

    import django

    try:
        django.setup()
    except ConfigurationError as error:
        fail(str(error))
    if quiet:
        logging.getLogger().setLevel(logging.WARNING)


@contextmanager
def database_held() -> Iterator[Callable[[], None]]:
    """The embedded database is kept up while the block runs; nothing is known of its schema.

    Yields what starts it again if it has died. Loads no Django.
    """
    from integration_alerts.engine import embedded
    from integration_alerts.engine.postgres import EmbeddedPostgresError

    try:
        with embedded.running(configuration()) as tend:
            yield tend
    except EmbeddedPostgresError as error:
        fail(str(error))


@contextmanager
def database_ready(*, quiet: bool = True) -> Iterator[Configuration]:
    """The database is up and usable while the block runs, whether `run` has it running or not."""
    start_django(quiet=quiet)
    with database_held(), database_usable() as settings:
        yield settings


@contextmanager
def database_usable(*, migrate: bool = False) -> Iterator[Configuration]:
    """Django is loaded, and its database, which this process or its parent holds, up to date.

    `migrate` and an embedded database bring the schema up. A process that `run` started need not
    look: it has.
    """
    settings = configuration()
    from django.db import Error
    from procrastinate.exceptions import ConnectorException

    from integration_alerts.engine import database

    try:
        if CHECKED not in os.environ:
            database.check_reachable()
            if (migrate or settings.embedded) and database.missing_migrations():
                database.migrate()
            database.check_migrated()
        yield settings
    except database.DatabaseError as error:
        fail(str(error))
    except (Error, ConnectorException) as error:
        reason = str(error).strip().partition("\n")[0]
        fail(f"the database failed: {reason}; what was done before is kept", FAILED)
    finally:
        database.disconnect()
