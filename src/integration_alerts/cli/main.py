"""The command `integration-alerts`: its list of commands, and how it ends."""

import signal
import sys

import click

from integration_alerts import __version__
from integration_alerts.cli.bouncing import bounces
from integration_alerts.cli.checking import check
from integration_alerts.cli.feeding import import_directory, report
from integration_alerts.cli.inviting import invite
from integration_alerts.cli.keys import apikey, operator
from integration_alerts.cli.moving import move
from integration_alerts.cli.pruning import prune
from integration_alerts.cli.replaying import backtest
from integration_alerts.cli.serving import migrate, run, web, worker
from integration_alerts.cli.testing_mail import testmail


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="integration-alerts")
def commands() -> None:
    """Tell the right people when an integration breaks, and again until it is fixed.

    Settings come from the environment: DATABASE_URL, EMAIL_URL, DEFAULT_FROM_EMAIL, BOUNCE_ADDRESS,
    PUBLIC_URL, SECRET_KEY, DATA_DIR, POSTGRES_BIN, GROUP_WAIT, GROUP_INTERVAL,
    KEEP_HISTORY, KEEP_EMAILS, KEEP_MESSAGES, KEEP_RECEIPTS, TRUSTED_PROXY_COUNT, LOG_FORMAT.
    """


for command in (
    run, web, worker, bounces, migrate, check, testmail, import_directory, report, invite, apikey,
    operator, prune, move, backtest,
):  # fmt: skip
    commands.add_command(command)


def main() -> None:
    """Run the command that the arguments name."""
    # As Ctrl-C does: a short command cleans up behind itself. Those that stay have their own ways.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    commands(prog_name="integration-alerts")
