"""`prune`: what the worker prunes little by little, at once."""

import sys
from collections import Counter

import click

from integration_alerts.cli.session import database_ready


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
def prune(*, dry_run: bool) -> None:
    """Delete at once what is kept no longer: see KEEP_HISTORY and the settings beside it.

    Not needed where a worker runs, which does the same all the time. Stops cleanly with Ctrl-C;
    what was deleted until then is.
    """
    with database_ready() as settings:
        from integration_alerts.engine import clock, retention

        pruned: Counter[str] = Counter()
        policy = retention.policy(settings)
        with click.progressbar(
            length=1000, label="Pruning", file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as bar:
            for progress in retention.prune(policy, clock.now(), dry=dry_run, afresh=True):
                pruned.update(progress.pruned)
                bar.update(int(progress.done * 1000) - bar.pos)
        click.echo(f"{'would delete' if dry_run else 'deleted'} {retention.in_words(+pruned)}")
