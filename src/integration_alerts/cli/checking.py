"""`check`: is everything configured and alive?"""

import sys

import click

from integration_alerts.cli.session import REJECTED, configuration, fail, start_django


@click.command()
def check() -> None:
    """Verify settings, database, mail server and workers; each problem comes with a hint."""
    settings = configuration()
    start_django(quiet=True)
    from integration_alerts.engine import embedded, health
    from integration_alerts.engine.postgres import EmbeddedPostgresError

    try:
        with embedded.running(settings):
            findings = list(health.check(settings))
    except EmbeddedPostgresError as error:
        fail(str(error), REJECTED)
    for finding in findings:
        click.echo(f"{'ok  ' if finding.well else 'FAIL'} {finding.id}: {finding.detail}")
        if finding.hint:
            click.echo(f"     {finding.hint}")
    if not all(finding.well for finding in findings):
        sys.exit(REJECTED)
