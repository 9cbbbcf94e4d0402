"""Is this installation healthy? Each answer comes with what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import Error

from integration_alerts.configuration import Configuration
from integration_alerts.engine import database, workers
from integration_alerts.engine.working import mailer_for


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked; `hint` says what to do when it is not well."""

    id: str
    well: bool
    detail: str
    hint: str = ""


def worker_seen() -> bool:
    """Whether a worker's heartbeat is fresh. Raises django.db.Error without a database."""
    return bool(workers.alive())


def check(configuration: Configuration) -> Iterator[Finding]:
    """Check the database, the mail server and the workers, in this order."""
    yield Finding("configuration", well=True, detail="every setting can be used")
    try:
        version = database.check_reachable()
        yield Finding("database", well=True, detail=f"PostgreSQL {version} answers")
        schema = _check_schema()
        yield schema
    except (database.DatabaseError, Error) as error:
        yield Finding("database", well=False, detail=str(error).strip())
        return
    yield _check_mail(configuration)
    if schema.well:
        yield _check_workers()


def _check_schema() -> Finding:
    if missing := database.missing_migrations():
        return Finding(
            "schema", well=False, detail=f"{missing} migrations are missing",
            hint="run: integration-alerts migrate",
        )  # fmt: skip
    return Finding("schema", well=True, detail="up to date")


def _check_mail(configuration: Configuration) -> Finding:
    if configuration.mail_server is None:
        return Finding(
            "mail", well=True, detail="no EMAIL_URL is set: the built-in inbox catches all mail",
        )  # fmt: skip
    mailer = mailer_for(configuration)
    answer = mailer.check()
    mailer.close()
    server = f"{configuration.mail_server.host}:{configuration.mail_server.port}"
    if answer.code is not None and answer.code // 100 == 2:
        return Finding("mail", well=True, detail=f"{server} would take mail")
    return Finding(
        "mail", well=False,
        detail=f"{server} in phase {answer.phase.value}: {answer.code or ''} {answer.text}",
        hint="check EMAIL_URL, and that this machine may reach the server",
    )  # fmt: skip


def _check_workers() -> Finding:
    if worker_seen():
        return Finding("worker", well=True, detail="a heartbeat is fresh")
    return Finding(
        "worker", well=False, detail="no worker was seen lately: nothing is sent",
        hint="start `integration-alerts run`, or `integration-alerts worker`",
    )  # fmt: skip
