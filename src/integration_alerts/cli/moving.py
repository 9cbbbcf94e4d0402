"""`move`: taking an account to another database."""

import click

from integration_alerts.cli.session import FAILED, database_ready, fail


@click.command()
@click.option("--account", required=True, help="The account, by the platform's id.")
@click.option("--to", required=True, help="The other database, as DATABASE_URL names this one.")
def move(account: str, to: str) -> None:
    """Move an account with all that belongs to it to another database of the same version."""
    with database_ready():
        import psycopg
        from django.db import connections

        from integration_alerts.engine import moving

        here = connections["default"].get_connection_params()
        for name in ("cursor_factory", "context"):
            here.pop(name, None)
        try:
            with psycopg.connect(**here) as source, psycopg.connect(to) as target:
                rows = moving.move(account, source, target)
        except moving.MoveError as error:
            fail(str(error), FAILED)
        except psycopg.Error as error:
            fail(f"nothing was moved: {str(error).strip().partition(chr(10))[0]}", FAILED)
    click.echo(f"moved {rows} rows")
