"""Fixtures of the acceptance tests: installations that the tests of one module share."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from tests.acceptance.live import SENDER, Live
from tests.acceptance.processes import wait_until_nothing_runs
from tests.conftest import Furnished, database_url
from tests.database import SERVER
from tests.installation import Installation
from tests.smtp_server import SmtpServer


@pytest.fixture(scope="module")
def live(furnished: Furnished, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A running installation; the tests keep apart by naming integrations of their own."""
    with _database(template=furnished.template) as url, SmtpServer() as smtp:
        installation = Installation(
            tmp_path_factory.mktemp("live"), url, key=furnished.key,
            EMAIL_URL=smtp.url, DEFAULT_FROM_EMAIL=SENDER,
        )  # fmt: skip
        try:
            yield Live.start(installation, smtp)
        finally:
            installation.close()
    assert "Traceback" not in installation.logs(), installation.logs()


@pytest.fixture
def empty_database(tmp_path: Path) -> Iterator[Installation]:
    """An installation whose database has no schema yet."""
    with _database(template="template1") as url:
        yield Installation(tmp_path, url)


@pytest.fixture(scope="session")
def furnished_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder to be copied, whose embedded database has DIRECTORY; nothing runs on it."""
    folder = tmp_path_factory.mktemp("furnished")
    Installation(folder, None).import_directory()
    wait_until_nothing_runs(folder)
    return folder


@contextmanager
def _database(template: str) -> Iterator[str]:
    """The URL of a database of its own on the suite's server, copied from another."""
    name = f"acceptance_{uuid4().hex[:12]}"
    names = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(**{**SERVER.conninfo, "dbname": "postgres"}, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        yield database_url(name)
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(names[0]))
