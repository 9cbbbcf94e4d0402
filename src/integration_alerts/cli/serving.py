"""`run`, `web`, `worker`, `migrate`: the processes of an installation."""

import os
from urllib.parse import urlsplit

import click

from integration_alerts.cli.session import (
    CHECKED,
    configuration,
    database_held,
    database_ready,
    database_usable,
    fail,
    start_django,
)

DEFAULT_BIND = "127.0.0.1:8000"


class Address(click.ParamType[tuple[str, int]]):
    """HOST:PORT; an IPv6 host stands in brackets."""

    name = "host:port"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, int]:
        """Split and check it."""
        try:
            parts = urlsplit(f"//{value}")
            host, port = parts.hostname, parts.port
        except ValueError:
            host = port = None
        if not host or not port or parts.path:
            self.fail(f"expected HOST:PORT such as 0.0.0.0:8000, got {value!r}", param, ctx)
        return host, port


bind_option = click.option(
    "--bind", type=Address(), default=DEFAULT_BIND, show_default=True, help="Where to listen."
)
concurrency_option = click.option(
    "--concurrency", type=click.IntRange(1, 500), default=40, show_default=True,
    help="How many mails a worker sends at the same time.",
)  # fmt: skip


@click.command()
@click.option(
    "--demo", is_flag=True, help="Load a demo account and open the inbox to this machine."
)
@bind_option
def run(*, demo: bool, bind: tuple[str, int]) -> None:
    """Run everything on this machine: database, migrations, web, worker.

    Prints the address when it answers. SIGTERM or Ctrl-C stops it all cleanly.
    """
    host, port = bind
    os.environ.setdefault("PUBLIC_URL", _url(host, port))
    if demo:
        os.environ["INTEGRATION_ALERTS_DEMO"] = "1"
    from integration_alerts.engine import processes, running

    try:
        running.check_free(host, port)
    except running.RunError as error:
        fail(str(error))
    with database_held() as tend:
        # What Django takes in memory is given back with the child.
        hint = processes.in_a_child(lambda: _prepare(_url(host, port), demo=demo))
        os.environ[CHECKED] = "1"
        try:
            running.run(
                host,
                port,
                on_ready=lambda: click.echo(_greeting(host, port, hint)),
                tend=tend,
            )
        except running.RunError as error:
            fail(str(error), 1)


def _prepare(address: str, *, demo: bool) -> str:
    """Bring the schema up, and load the demo; returns the hint that tells of it."""
    start_django(quiet=True)
    with database_usable(migrate=True) as settings:
        if not demo:
            return ""
        from integration_alerts.engine import clock
        from integration_alerts.engine import demo as demo_account

        return demo_account.hint(address, demo_account.load(settings.data_dir, clock.now()))


@click.command()
@bind_option
def web(bind: tuple[str, int]) -> None:
    """Serve the pages and the API; any number on one DATABASE_URL."""
    from integration_alerts.engine import processes, running

    with database_held():
        if CHECKED not in os.environ:
            processes.in_a_child(_check_database)
        try:
            running.check_free(*bind)
        except running.RunError as error:
            fail(str(error))
        running.serve(*bind)


def _check_database() -> str:
    start_django()
    with database_usable():
        return ""


@click.command()
@concurrency_option
def worker(concurrency: int) -> None:
    """Plan notices and send mails; any number on one DATABASE_URL."""
    # Lanes share those who claim, look and record; PostgreSQL allows 100 connections in all.
    os.environ.setdefault("INTEGRATION_ALERTS_POOL", "12")
    with database_ready(quiet=False):
        from integration_alerts.engine.working import work

        work(concurrency)


@click.command()
def migrate() -> None:
    """Bring the database's schema up to this version."""
    settings = configuration()
    start_django(quiet=True)
    from integration_alerts.engine import database, embedded
    from integration_alerts.engine.postgres import EmbeddedPostgresError

    try:
        with embedded.running(settings):
            database.check_reachable()
            database.migrate(verbosity=1)
    except (EmbeddedPostgresError, database.DatabaseError) as error:
        fail(str(error))


def _url(host: str, port: int) -> str:
    from integration_alerts.engine.running import reachable

    shown = reachable(host)
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}"


def _greeting(host: str, port: int, hint: str) -> str:
    return f"Integration Alerts is ready at {_url(host, port)}\n{hint}".rstrip()
