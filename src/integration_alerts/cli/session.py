"""What commands share: settings, the database, Django, and errors as one friendly line."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from integration_alerts.configuration import Configuration, ConfigurationError, load

REJECTED = 1  # some input was rejected, or a check failed
FAILED = 1  # what was asked for could not be done
WRONG_USAGE = 2  # wrong usage or configuration


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


@dataclass(frozen=True, slots=True)
class Ready:
    """What a command may build on; `tend_database` restarts an embedded one that has died."""

    settings: Configuration
    tend_database: Callable[[], None]


@contextmanager
def database_ready(*, quiet: bool = True, migrate: bool = False) -> Iterator[Ready]:
    """The database is up while the block runs, whether `run` has it running or not.

    Its schema must be up to date; `migrate` and an embedded database bring it up.
    """
    settings = configuration()
    from django.db import Error
    from procrastinate.exceptions import ConnectorException

    from integration_alerts.engine.postgres import EmbeddedPostgresError

    start_django(quiet=quiet)
    from integration_alerts.engine import database

    try:
        with database.running(settings) as tend:
            try:
                database.check_reachable()
                if (migrate or settings.embedded) and database.missing_migrations():
                    database.migrate()
                database.check_migrated()
                yield Ready(settings, tend)
            finally:
                database.disconnect()
    except (EmbeddedPostgresError, database.DatabaseError) as error:
        fail(str(error))
    except (Error, ConnectorException) as error:
        reason = str(error).strip().partition("\n")[0]
        fail(f"the database failed: {reason}; what was done before is kept", FAILED)
