"""The database of this installation: reachable, and up to date."""

import time
from typing import cast

import psycopg
from django.core.management import call_command
from django.db import connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.backends.utils import CursorWrapper
from django.db.migrations.executor import MigrationExecutor

OLDEST_POSTGRES = 15
_PATIENCE_SECONDS = 5
# Any number: it keeps two processes from migrating at the same time.
_MIGRATION_LOCK = 7_311_894_022
_MIGRATION_PAUSE_SECONDS = 0.1


class DatabaseError(Exception):
    """The database cannot be used as it is; the message is one line that says what to do."""


def check_reachable() -> int:
    """Connect and return PostgreSQL's major version; raises DatabaseError."""
    # Past the pool, which would only say after its own time-out that it has no connection.
    parameters = {**_connection().get_connection_params(), "connect_timeout": _PATIENCE_SECONDS}
    try:
        with psycopg.connect(**parameters) as probe:
            version = probe.info.server_version // 10000
    except psycopg.OperationalError as error:
        raise DatabaseError(
            f"cannot reach the database: {_first_line(error)}; check DATABASE_URL"
        ) from error
    if version < OLDEST_POSTGRES:
        raise DatabaseError(
            f"the database is PostgreSQL {version}; {OLDEST_POSTGRES} or later is needed"
        )
    return version


def check_replica() -> None:
    """Raise DatabaseError unless DATABASE_REPLICA_URL leads to a standby that answers."""
    try:
        with psycopg.connect(**_connection("replica").get_connection_params()) as probe:
            answer = probe.execute("SELECT pg_is_in_recovery()").fetchone()
    except psycopg.OperationalError as error:
        raise DatabaseError(f"cannot reach the replica: {_first_line(error)}") from error
    if answer != (True,):
        raise DatabaseError("it is no standby but a server that takes changes")


def missing_migrations() -> int:
    """How many migrations the schema lacks."""
    executor = MigrationExecutor(_connection())
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def check_migrated() -> None:
    """Raise DatabaseError unless the schema is up to date."""
    if missing := missing_migrations():
        raise DatabaseError(
            f"the database's schema lacks {missing} migrations; run: integration-alerts migrate"
        )


def migrate(*, verbosity: int = 0) -> None:
    """Bring the schema up; safe to run from several processes at once.

    Also has PostgreSQL notice within seconds that a machine of ours is cut off: its transaction
    would hold rows locked for 2 hours. Whatever the operator has set for this role stays.
    """
    alias = direct_alias()
    with _connection(alias).cursor() as cursor:
        # Asking again and again: an index that is made concurrently waits for whoever waits in SQL.
        while not _locked(cursor):
            time.sleep(_MIGRATION_PAUSE_SECONDS)
        try:
            call_command("migrate", interactive=False, verbosity=verbosity, database=alias)
            cursor.execute(WATCH_CLIENTS)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATION_LOCK])


def _locked(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT pg_try_advisory_lock(%s)", [_MIGRATION_LOCK])
    return bool(cursor.fetchone()[0])


def direct_alias() -> str:
    """The way to the database that keeps a session: past the pooler that DATABASE_URL leads to."""
    return "direct" if "direct" in connections else "default"


def disconnect() -> None:
    """Close every connection and the pool, before this process forks or hands its work on."""
    for alias in connections:
        _connection(alias).close()
        _connection(alias).close_pool()


def _connection(alias: str = "default") -> DatabaseWrapper:
    return cast("DatabaseWrapper", connections[alias])


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


# What `migrate` sets: of the role in this database, not of a connection. So it holds behind a
# pooler too.
WATCH_CLIENTS = """
DO $$
DECLARE wanted record;
BEGIN
    FOR wanted IN
        SELECT name, value FROM (VALUES
            ('tcp_keepalives_idle', '5'), ('tcp_keepalives_interval', '2'),
            ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '10000')) AS ours(name, value)
        WHERE NOT EXISTS (
            SELECT FROM pg_db_role_setting, unnest(setconfig) AS line
            WHERE line LIKE name || '=%'
                AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
                AND setdatabase IN
                    (0, (SELECT oid FROM pg_database WHERE datname = current_database())))
    LOOP
        EXECUTE format('ALTER ROLE CURRENT_USER IN DATABASE %I SET %I = %L',
                       current_database(), wanted.name, wanted.value);
    END LOOP;
END $$"""
