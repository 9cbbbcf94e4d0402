"""The product as the browser tests see it: its address, who is signed in, what there is."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg import sql
from tests.conftest import database_url
from tests.database import SERVER
from tests.installation import Installation

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Prepared:
    """A database to copy, the sessions of the people in it, and the links in their mails."""

    database: str
    sessions: dict[str, str]
    paths: dict[str, str]


@dataclass(frozen=True)
class Site:
    """A running web process."""

    installation: Installation
    address: str
    sessions: dict[str, str]
    paths: dict[str, str]

    def account(self, external_id: str = "lantern") -> str:
        """The path of an account's pages."""
        query = "SELECT id FROM account WHERE external_id = %s"
        return f"/accounts/{self.installation.query(query, external_id)[0][0]}/"

    def integration(self, external_id: str) -> str:
        """The path of an integration's page."""
        query = "SELECT account_id, id FROM integration WHERE external_id = %s"
        return self._path("integrations", query, external_id)

    def alert(self, member: str) -> str:
        """The path of a member's alert."""
        query = (
            "SELECT member.account_id, subscription.id FROM subscription "
            "JOIN member ON member.id = member_id WHERE member.external_id = %s ORDER BY 2"
        )
        return self._path("alerts", query, member)

    def email(self, member: str, status: str = "sent") -> str:
        """The path of a member's first mail of this status."""
        query = (
            "SELECT member.account_id, email.id FROM email JOIN member ON member.id = member_id "
            "WHERE member.external_id = %s AND email.status = %s ORDER BY 2"
        )
        return self._path("emails", query, member, status)

    def member(self, external_id: str) -> int:
        """The id of a member."""
        query = "SELECT id FROM member WHERE external_id = %s"
        return int(self.installation.query(query, external_id)[0][0])

    def _path(self, kind: str, query: str, *parameters: str) -> str:
        account, number = self.installation.query(query, *parameters)[0]
        return f"/accounts/{account}/{kind}/{number}"


def prepare(template: str, folder: Path) -> Iterator[Prepared]:
    """The database that every module's is a copy of."""
    with scratch(template) as name:
        installation = Installation(folder, database_url(name))
        done = subprocess.run(
            [sys.executable, "-m", "tests.browser.prepare"],
            cwd=ROOT, env=installation.environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        yield Prepared(name, **json.loads(done.stdout))


@contextmanager
def serve(prepared: Prepared, folder: Path) -> Iterator[Site]:
    """A web process on a copy of the prepared database."""
    with scratch(prepared.database) as name:
        installation = Installation(folder, database_url(name))
        try:
            yield Site(installation, installation.web(), prepared.sessions, prepared.paths)
        finally:
            installation.close()
    assert "Traceback" not in installation.logs(), installation.logs()


@contextmanager
def scratch(template: str) -> Iterator[str]:
    """A copy of a database, gone afterwards."""
    name = f"browser_{uuid4().hex[:12]}"
    names = sql.Identifier(name), sql.Identifier(template)
    with psycopg.connect(**{**SERVER.conninfo, "dbname": "postgres"}, autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        try:
            yield name
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(names[0]))
