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
    """A database to copy, and the sessions of the people in it."""

    database: str
    sessions: dict[str, str]


@dataclass(frozen=True)
class Site:
    """A running web process."""

    installation: Installation
    address: str
    sessions: dict[str, str]

    def account(self, external_id: str = "lantern") -> str:
        """The path of an account's pages."""
        query = "SELECT id FROM account WHERE external_id = %s"
        return f"/accounts/{self.installation.query(query, external_id)[0][0]}/"

    def integration(self, external_id: str) -> str:
        """The path of an integration's page."""
        query = "SELECT id FROM integration WHERE external_id = %s"
        number = self.installation.query(query, external_id)[0][0]
        return f"{self.account()}integrations/{number}"

    def alert(self, member: str) -> str:
        """The path of a member's alert."""
        query = (
            "SELECT subscription.id FROM subscription JOIN member ON member.id = member_id "
            "WHERE member.external_id = %s ORDER BY 1"
        )
        return f"{self.account()}alerts/{self.installation.query(query, member)[0][0]}"

    def email(self, member: str) -> str:
        """The path of a member's first mail that was sent."""
        query = (
            "SELECT email.id FROM email JOIN member ON member.id = member_id "
            "WHERE member.external_id = %s AND email.status = 'sent' ORDER BY 1"
        )
        return f"{self.account()}emails/{self.installation.query(query, member)[0][0]}"


def prepare(template: str, folder: Path) -> Iterator[Prepared]:
    """The database that every module's is a copy of."""
    with scratch(template) as name:
        installation = Installation(folder, database_url(name))
        done = subprocess.run(
            [sys.executable, "-m", "tests.browser.prepare"],
            cwd=ROOT, env=installation.environment, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        yield Prepared(name, json.loads(done.stdout))


@contextmanager
def serve(prepared: Prepared, folder: Path) -> Iterator[Site]:
    """A web process on a copy of the prepared database."""
    with scratch(prepared.database) as name:
        installation = Installation(folder, database_url(name))
        try:
            yield Site(installation, installation.web(), prepared.sessions)
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
