"""Both sides of a connection notice soon that the other is gone. Whole machines: tests/faults."""

import psycopg
import pytest
from django.db import connection
from tests.conftest import database_url

from integration_alerts.engine.database import WATCH_CLIENTS
from integration_alerts.engine.listening import wake_ups_arrive

OURS = {
    "tcp_keepalives_idle=5", "tcp_keepalives_interval=2", "tcp_keepalives_count=3",
    "tcp_user_timeout=10000",
}  # fmt: skip
_SETTINGS = """
SELECT unnest(setconfig) FROM pg_db_role_setting
JOIN pg_database ON pg_database.oid = setdatabase WHERE datname = current_database()"""


def test_processes_connect_with_keepalives(db: None) -> None:
    options = connection.settings_dict["OPTIONS"]
    assert (options["keepalives_idle"], options["tcp_user_timeout"]) == ("5", "10000")


def test_migrate_has_postgresql_watch_its_clients(migrated_template: str) -> None:
    with psycopg.connect(database_url(migrated_template)) as migrated:
        assert {row[0] for row in migrated.execute(_SETTINGS).fetchall()} == OURS


@pytest.mark.django_db
def test_what_an_operator_has_set_stays() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        (name,) = cursor.fetchone()
        cursor.execute(f'ALTER ROLE CURRENT_USER IN DATABASE "{name}" SET tcp_keepalives_idle = 60')
        cursor.execute(WATCH_CLIENTS)
        cursor.execute(_SETTINGS)
        settings = {row[0] for row in cursor.fetchall()}
    assert settings == (OURS - {"tcp_keepalives_idle=5"}) | {"tcp_keepalives_idle=60"}


def test_a_notify_arrives_without_a_pooler(db: None) -> None:
    assert wake_ups_arrive()
