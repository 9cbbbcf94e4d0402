"""Moving an account: all of it or nothing. Whole installations: tests/faults."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.installation import Installation, failed, ndjson

from integration_alerts.engine.moving import MoveError, move

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def two(
    scratch_url: str, other_url: str, tmp_path: Path
) -> Iterator[tuple[Connection, Connection]]:
    """Connections to a database with the account acme, which has a failure, and to another."""
    installation = Installation(tmp_path, scratch_url)
    installation.import_directory()
    assert installation.command("report", "-", stdin=ndjson([failed()])).returncode == 0
    with psycopg.connect(scratch_url) as source, psycopg.connect(other_url) as target:
        yield source, target


def _counts(connection: Connection) -> dict[str, int]:
    tables = ("account", "member", "assignment", "integration", "incident", "state_change")
    rows = {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchone() for table in tables
    }
    connection.rollback()
    return {table: row[0] for table, row in rows.items() if row is not None}


def test_all_rows_of_the_account_are_there_and_none_here(
    two: tuple[Connection, Connection],
) -> None:
    source, target = two
    before = _counts(source)
    assert before["incident"] == 1
    assert move("acme", source, target) > sum(before.values())
    assert _counts(target) == before
    assert set(_counts(source).values()) == {0}


def test_nothing_is_moved_while_a_mail_is_being_sent(two: tuple[Connection, Connection]) -> None:
    source, target = two
    source.execute(
        "INSERT INTO email (account_id, member_id, status, message_id, date, claimed_by,"
        " outcome_reason, subject, address, attempts) SELECT account_id, id, 'sending', 'm',"
        " now(), gen_random_uuid(), '', '', '', 0 FROM member LIMIT 1"
    )
    with pytest.raises(MoveError, match="are being sent"):
        move("acme", source, target)
    assert set(_counts(target).values()) == {0}


def test_an_account_that_is_there_already_stays_here(two: tuple[Connection, Connection]) -> None:
    source, target = two
    target.execute(
        "INSERT INTO account (external_id, name, time_zone, active, created_at)"
        " VALUES ('acme', 'Acme', 'UTC', true, now())"
    )
    target.commit()
    before = _counts(source)
    with pytest.raises(MoveError, match="already"):
        move("acme", source, target)
    source.rollback()
    assert _counts(source) == before


def test_another_schema_is_refused(two: tuple[Connection, Connection]) -> None:
    source, target = two
    target.execute("ALTER TABLE member ADD COLUMN another text")
    with pytest.raises(MoveError, match="different schemas"):
        move("acme", source, target)


def test_an_unknown_account_is_named(two: tuple[Connection, Connection]) -> None:
    with pytest.raises(MoveError, match="'nobody'"):
        move("nobody", *two)
