"""Moving an account to another database: every row that carries it, with its ids.

Knows no table by name but the few that are locked: each table of an account has `account_id`
(directory.tenancy). Sign-ins stay where they are: they belong to people, not to accounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import errors, sql

# What somebody may be about to change, in the order in which reports and workers lock it.
_BUSY = ("company", "member", "subscription", "integration", "incident", "notice", "email")
_LEFT_BEHIND = {("member", "user_id")}
Connection = psycopg.Connection[tuple[Any, ...]]


class MoveError(Exception):
    """Nothing was moved, unless the message says so; it is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    columns: tuple[str, ...]
    key: str  # the column that holds the account


def move(account: str, source: Connection, target: Connection) -> int:
    """Move an account, by the platform's id; returns how many rows that were.

    Reports about it wait for the locks of this, and no worker takes its emails. Copied and
    committed there before it is deleted here, so that it is never in neither. Raises MoveError.
    """
    account_id = _lock(account, source)
    tables = _tables(source)
    if (_migrations(source), tables) != (_migrations(target), _tables(target)):
        raise MoveError("the two databases have different schemas; bring both up with: migrate")
    try:
        rows = sum(_copy(table, account_id, source, target) for table in tables)
        target.commit()
    except errors.UniqueViolation as error:
        raise MoveError(
            f"the other database has the account, or its ids, already: {error.diag.message_detail}"
        ) from error
    try:
        for table in reversed(tables):
            source.execute(_delete(table), [account_id])
        source.commit()
    except psycopg.Error as error:
        raise MoveError(
            f"{account} is in BOTH databases now: it was copied, and could not be deleted here "
            f"({str(error).strip()}); stop the workers of one and delete it there"
        ) from error
    return rows


def _lock(account: str, source: Connection) -> int:
    found = source.execute(
        "SELECT id FROM account WHERE external_id = %s FOR UPDATE", [account]
    ).fetchone()
    if found is None:
        raise MoveError(f"there is no account {account!r} in the database of DATABASE_URL")
    for name in _BUSY:
        source.execute(
            sql.SQL("SELECT FROM {} WHERE account_id = %s ORDER BY id FOR UPDATE").format(
                sql.Identifier(name)
            ),
            found,
        )
    sending = source.execute(
        "SELECT count(*) FROM email WHERE account_id = %s AND status = 'sending'", found
    ).fetchone()
    if sending != (0,):
        raise MoveError("mails of the account are being sent; try again in a minute")
    return int(found[0])


def _tables(connection: Connection) -> list[_Table]:
    rows = connection.execute(_COLUMNS).fetchall()
    account, others = [], []
    for name, columns in rows:
        if name == "account":
            account = [_Table(name, tuple(columns), "id")]
        elif "account_id" in columns:
            others.append(_Table(name, tuple(columns), "account_id"))
    return account + others


def _migrations(connection: Connection) -> Sequence[tuple[Any, ...]]:
    return connection.execute("SELECT app, name FROM django_migrations ORDER BY 1, 2").fetchall()


def _copy(table: _Table, account_id: int, source: Connection, target: Connection) -> int:
    names = sql.SQL(", ").join(map(sql.Identifier, table.columns))
    values = sql.SQL(", ").join(
        sql.SQL("NULL::bigint") if (table.name, column) in _LEFT_BEHIND else sql.Identifier(column)
        for column in table.columns
    )
    parts = {"names": names, "values": values, "table": sql.Identifier(table.name)}
    parts |= {"key": sql.Identifier(table.key), "account": sql.Literal(account_id)}
    out = sql.SQL(
        "COPY (SELECT {values} FROM {table} WHERE {key} = {account}) TO STDOUT (FORMAT binary)"
    ).format(**parts)
    into = sql.SQL("COPY {table} ({names}) FROM STDIN (FORMAT binary)").format(**parts)
    reading, writing = source.cursor(), target.cursor()
    with reading.copy(out) as rows, writing.copy(into) as copied:
        for block in rows:
            copied.write(block)
    return writing.rowcount


def _delete(table: _Table) -> sql.Composed:
    return sql.SQL("DELETE FROM {} WHERE {} = %s").format(
        sql.Identifier(table.name), sql.Identifier(table.key)
    )


# The parts of a partitioned table are left out: their rows are the table's. Keys are checked at
# commit, so that the order of the tables does not matter.
_COLUMNS = """
SELECT class.relname, array_agg(attname::text ORDER BY attnum)
FROM pg_class AS class JOIN pg_attribute ON attrelid = class.oid
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
    AND NOT relispartition AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
GROUP BY class.relname ORDER BY class.relname"""
