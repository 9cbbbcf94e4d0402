"""A scratch database for a backtest: made, used and thrown away, never the real one."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlencode
from uuid import uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from integration_alerts.configuration import Configuration
from integration_alerts.engine.postgres import EmbeddedPostgres


@contextmanager
def scratch_database(configuration: Configuration) -> Iterator[dict[str, str]]:
    """The environment that makes the settings point at an empty database of its own.

    With DATABASE_URL, a new database on that server (the role must be allowed to make one);
    otherwise an embedded PostgreSQL in a temporary folder. Gone when the block ends.
    Raises psycopg.Error or EmbeddedPostgresError.
    """
    with tempfile.TemporaryDirectory(prefix="integration-alerts-") as folder:
        if configuration.database is None:
            with EmbeddedPostgres(Path(folder), binaries=configuration.postgres_bin, durable=False):
                yield {"DATA_DIR": folder}
        else:
            with _database_beside(configuration.database) as url:
                yield {"DATA_DIR": folder, "DATABASE_URL": url}


@contextmanager
def _database_beside(parameters: Mapping[str, str]) -> Iterator[str]:
    name = f"integration_alerts_scratch_{uuid4().hex[:12]}"
    with psycopg.connect(make_conninfo(**dict(parameters)), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield _url({**parameters, "dbname": name})
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _url(parameters: Mapping[str, str]) -> str:
    # Every parameter as a query parameter: libpq takes them all there.
    return "postgresql:///?" + urlencode(parameters, quote_via=quote)
