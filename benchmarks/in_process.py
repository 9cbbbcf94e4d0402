"""A filled database of its own for what is measured inside this process, by Django itself."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from integration_alerts.engine.postgres import EmbeddedPostgres


@contextmanager
def filled(place: Path, statements: Sequence[str]) -> Iterator[None]:
    """Django works on an embedded database in `place`, filled by SQL that may name `now`.

    Once a process: Django reads its settings once.
    """
    os.environ |= {"DATA_DIR": str(place), "SECRET_KEY": "benchmark"}
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "integration_alerts.settings")
    with EmbeddedPostgres(place):
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement, {"now": datetime.now(UTC)})
        try:
            yield
        finally:
            connection.close()
            connection.close_pool()
