"""Fixtures of the acceptance tests: installations that the tests of one module share."""

import re
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from tests.acceptance.live import SENDER, Live
from tests.database import SERVER
from tests.installation import Installation
from tests.smtp_server import SmtpServer


@pytest.fixture(scope="module")
def live(migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A running installation; the tests keep apart by naming integrations of their own."""
    name = f"module_{uuid4().hex[:12]}"
    _execute("CREATE DATABASE {} TEMPLATE {}", name, migrated_template)
    url = f"postgresql:///{name}?host={SERVER.conninfo['host']}&user={SERVER.conninfo['user']}"
    with SmtpServer() as smtp:
        installation = Installation(
            tmp_path_factory.mktemp("live"), url, EMAIL_URL=smtp.url, DEFAULT_FROM_EMAIL=SENDER
        )
        try:
            yield Live.start(installation, smtp)
        finally:
            installation.close()
    _execute("DROP DATABASE {} WITH (FORCE)", name)
    assert not re.search("Traceback", installation.logs()), installation.logs()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation with the embedded database in its own folder; nothing of it runs yet."""
    installation = Installation(tmp_path_factory.mktemp("embedded"), None)
    yield installation
    installation.close()
    assert not re.search("Traceback", installation.logs()), installation.logs()


def _execute(statement: str, *names: str) -> None:
    identifiers = [sql.Identifier(name) for name in names]
    with psycopg.connect(**{**SERVER.conninfo, "dbname": "postgres"}, autocommit=True) as server:
        server.execute(sql.SQL(statement).format(*identifiers))
