"""`run`, `web`, `worker`, `migrate`: the processes of an installation."""

import os
from urllib.parse import urlsplit

import click

from integration_alerts.cli.session import configuration, database_ready, fail, start_django

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
    from integration_alerts.engine import running

    try:
        running.check_free(host, port)
    except running.RunError as error:
        fail(str(error))
    with database_ready(migrate=True) as ready:
        from integration_alerts.engine import database

        hint = ""
        if demo:
            from integration_alerts.engine import clock
            from integration_alerts.engine import demo as demo_account

            secret = demo_account.load(ready.settings.data_dir, clock.now())
            hint = demo_account.hint(_url(host, port), secret)
        database.disconnect()
        try:
            running.run(
                host,
                port,
                on_ready=lambda: click.echo(_greeting(host, port, hint)),
                tend=ready.tend_database,
            )
        except running.RunError as error:
            fail(str(error), 1)


@click.command()
@bind_option
def web(bind: tuple[str, int]) -> None:
    """Serve the pages and the API; any number on one DATABASE_URL."""
    with database_ready(quiet=False):
        from integration_alerts.engine import database, running

        database.disconnect()
        try:
            running.check_free(*bind)
        except running.RunError as error:
            fail(str(error))
        running.serve(*bind)


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
    from integration_alerts.engine import database
    from integration_alerts.engine.postgres import EmbeddedPostgresError

    try:
        with database.running(settings):
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
