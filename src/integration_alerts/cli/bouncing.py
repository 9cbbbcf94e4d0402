"""`bounces`: takes returned mails from a mail server by LMTP."""

import click

from integration_alerts.cli.serving import Address
from integration_alerts.cli.session import database_ready, fail


@click.command()
@click.option(
    "--bind", type=Address(), default="127.0.0.1:8024", show_default=True, help="Where to listen."
)
def bounces(bind: tuple[str, int]) -> None:
    """Take returned mails by LMTP, for the signed addresses below BOUNCE_ADDRESS alone.

    Needs no other protection than that nobody but your mail server reaches it.
    """
    with database_ready(quiet=False) as settings:
        from integration_alerts.engine import lmtp, running

        if not settings.bounce_address:
            fail("BOUNCE_ADDRESS: not set, so that no mail could come back to here; set it")
        try:
            running.check_free(*bind)
        except running.RunError as error:
            fail(str(error))
        lmtp.serve(*bind, on_ready=lambda: click.echo(f"taking bounces at {bind[0]}:{bind[1]}"))
