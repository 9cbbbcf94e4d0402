"""Fixtures for the whole suite."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.db import connection
from psycopg import sql
from tests.database import SERVER
from tests.installation import Installation
from tests.smtp_server import SmtpServer

TEMPLATE = "acceptance_template"
FURNISHED_TEMPLATE = "acceptance_furnished"


@dataclass(frozen=True)
class Furnished:
    """The name of a template, and the key that it knows."""

    template: str
    key: str


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long go first, in random order still, so that all processes end together."""
    items.sort(key=lambda item: "acceptance" not in item.path.parts)


@pytest.fixture(scope="session")
def migrated_template(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database that `migrate` has brought up, to be copied."""
    _execute("CREATE DATABASE {}", TEMPLATE)
    done = Installation(tmp_path_factory.mktemp("migrate"), database_url(TEMPLATE)).command(
        "migrate"
    )
    assert done.returncode == 0, done.stderr
    return TEMPLATE


@pytest.fixture(scope="session")
def furnished(migrated_template: str, tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    """A database to be copied that has DIRECTORY and a platform key."""
    _execute("CREATE DATABASE {} TEMPLATE " + migrated_template, FURNISHED_TEMPLATE)
    url = database_url(FURNISHED_TEMPLATE)
    maker = Installation(tmp_path_factory.mktemp("furnish"), url)
    maker.import_directory()
    return Furnished(FURNISHED_TEMPLATE, maker.key())


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, migrated_template: str
) -> None:
    """Django's own test database is a copy too: the migrations run once."""
    connection.settings_dict["TEST"]["TEMPLATE"] = migrated_template


@pytest.fixture
def scratch_url(migrated_template: str) -> Iterator[str]:
    """The URL of a fresh, migrated database."""
    with _scratch(migrated_template) as url:
        yield url


@pytest.fixture
def other_url(migrated_template: str) -> Iterator[str]:
    """The URL of a second one."""
    with _scratch(migrated_template) as url:
        yield url


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    """A real SMTP server on loopback."""
    with SmtpServer() as server:
        yield server


@pytest.fixture
def installation(furnished: Furnished, smtp: SmtpServer, tmp_path: Path) -> Iterator[Installation]:
    """An installation with DIRECTORY whose mail goes to `smtp`; nothing of it runs yet."""
    with _scratch(furnished.template) as url:
        yield from _installation(tmp_path, url, smtp, furnished.key)


@pytest.fixture
def empty_installation(
    scratch_url: str, smtp: SmtpServer, tmp_path: Path
) -> Iterator[Installation]:
    """The same with nobody in it."""
    yield from _installation(tmp_path, scratch_url, smtp)


def _installation(
    folder: Path, url: str, smtp: SmtpServer, key: str | None = None
) -> Iterator[Installation]:
    running = Installation(
        folder, url, key=key, EMAIL_URL=f"smtp://127.0.0.1:{smtp.port}",
        DEFAULT_FROM_EMAIL="Integration Alerts <alerts@platform.example>",
    )  # fmt: skip
    yield running
    running.close()
    assert not re.search("Traceback", running.logs()), running.logs()


@contextmanager
def _scratch(template: str) -> Iterator[str]:
    name = f"acceptance_{uuid4().hex[:12]}"
    _execute("CREATE DATABASE {} TEMPLATE " + template, name)
    yield database_url(name)
    _execute("DROP DATABASE {} WITH (FORCE)", name)


def database_url(name: str) -> str:
    """The URL of a database on the suite's server."""
    info = SERVER.conninfo
    return f"postgresql:///{name}?host={info['host']}&user={info['user']}"


def _execute(statement: str, name: str) -> None:
    with psycopg.connect(**{**SERVER.conninfo, "dbname": "postgres"}, autocommit=True) as server:
        server.execute(sql.SQL(statement).format(sql.Identifier(name)))
