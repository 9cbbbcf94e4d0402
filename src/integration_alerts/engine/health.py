"""Is this installation healthy? Each answer comes with what to do about it."""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from django.db import Error

from integration_alerts.configuration import Configuration
from integration_alerts.engine import database, workers
from integration_alerts.engine.equipment import mailer_for
from integration_alerts.engine.listening import wake_ups_arrive
from integration_alerts.mail import circuits
from integration_alerts.mail.circuits import OpenCircuit


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked; `hint` says what to do when it is not well."""

    id: str
    well: bool
    detail: str
    hint: str = ""


_DEAF = Finding(
    "wake-ups", well=False,
    detail="DATABASE_URL leads to a pooler that loses LISTEN: mails wait up to 5 seconds more",
    hint="set DATABASE_DIRECT_URL to the PostgreSQL behind it, with the same database",
)  # fmt: skip


def worker_seen() -> bool:
    """Whether a worker's heartbeat is fresh. Raises django.db.Error without a database."""
    return bool(workers.alive())


def refusing_mailer() -> OpenCircuit | None:
    """The mailer that takes no mail from us at all, if so (mail.circuits).

    Raises django.db.Error without a database.
    """
    return next(iter(circuits.open_circuits()), None)


def check(configuration: Configuration) -> Iterator[Finding]:
    """Check the database, the mail server and the workers, in this order."""
    yield Finding("configuration", well=True, detail="every setting can be used")
    try:
        version = database.check_reachable()
        yield Finding("database", well=True, detail=f"PostgreSQL {version} answers")
        schema = _check_schema()
        yield schema
        if not wake_ups_arrive():
            yield _DEAF
    except (database.DatabaseError, Error, psycopg.OperationalError) as error:
        yield Finding("database", well=False, detail=str(error).strip())
        return
    if configuration.database_replica is not None:
        yield _check_replica()
    yield _check_mail(configuration)
    if schema.well:
        if (circuit := refusing_mailer()) is not None:
            yield _tell_of(circuit)
        yield _check_workers()


def _check_schema() -> Finding:
    if missing := database.missing_migrations():
        return Finding(
            "schema", well=False, detail=f"{missing} migrations are missing",
            hint="run: integration-alerts migrate",
        )  # fmt: skip
    return Finding("schema", well=True, detail="up to date")


def _check_replica() -> Finding:
    try:
        database.check_replica()
    except database.DatabaseError as error:
        return Finding(
            "replica", well=False, detail=str(error),
            hint="check DATABASE_REPLICA_URL; the primary answers until then",
        )  # fmt: skip
    return Finding("replica", well=True, detail="a standby answers")


def _check_mail(configuration: Configuration) -> Finding:
    if configuration.mail_server is None:
        return Finding(
            "mail", well=True, detail="no EMAIL_URL is set: the built-in inbox catches all mail",
        )  # fmt: skip
    mailer = mailer_for(configuration)
    answer, server = mailer.check(), configuration.mail_server.place
    mailer.close()
    if mailer.probes_by_sending:
        return Finding("mail", well=True, detail=f"{server}: {answer.text}")
    if answer.code is not None and answer.code // 100 == 2:
        return Finding("mail", well=True, detail=f"{server} would take mail")
    return Finding(
        "mail", well=False,
        detail=f"{server} in phase {answer.phase.value}: {answer.code or ''} {answer.text}",
        hint="check EMAIL_URL, and that this machine may reach the server",
    )  # fmt: skip


def _tell_of(circuit: OpenCircuit) -> Finding:
    return Finding(
        "delivery", well=False,
        detail=f"no mail is sent since {circuit.opened_at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{circuit.mailer} in phase {circuit.words}",
        hint="check EMAIL_URL and restart the worker; mails wait, and no attempt is counted",
    )  # fmt: skip


def _check_workers() -> Finding:
    if worker_seen():
        return Finding("worker", well=True, detail="a heartbeat is fresh")
    return Finding(
        "worker", well=False, detail="no worker was seen lately: nothing is sent",
        hint="start `integration-alerts run`, or `integration-alerts worker`",
    )  # fmt: skip
