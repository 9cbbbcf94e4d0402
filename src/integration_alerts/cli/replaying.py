"""`backtest`: what would have been sent, had this history come in live?"""

import json
import os
import sys
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import click
import psycopg

from integration_alerts.cli.session import REJECTED, configuration, fail, start_django
from integration_alerts.directory.lines import LineError, decode, numbered

if TYPE_CHECKING:
    from integration_alerts.integrations.reports import Report

# In a replay every report arrives at its own instant: none comes from the future.
_END_OF_TIME = datetime(9000, 1, 1, tzinfo=UTC)


class Moment(click.ParamType[datetime]):
    """A time with its zone, such as 2026-01-31T08:00:00Z."""

    name = "time"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Parse it; a time without a zone could mean many."""
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"expected a time such as 2026-01-31T08:00:00Z, got {value!r}", param, ctx)
        if moment.tzinfo is None:
            shown = moment.isoformat()
            self.fail(f"the zone is missing; expected {shown}Z for UTC", param, ctx)
        try:
            return moment.astimezone(UTC)
        except OverflowError:
            self.fail(f"out of range, got {value!r}", param, ctx)


@click.command()
@click.option("--directory", type=click.File("rb"), required=True, help="Directory lines.")
@click.option("--reports", type=click.File("rb"), required=True, help="Status report lines.")
@click.option("--until", type=Moment(), help="Stop at this time; default: the last report's.")
def backtest(directory: IO[bytes], reports: IO[bytes], until: datetime | None) -> None:
    """Replay history through the real code on a scratch database, with a simulated clock.

    Prints every notice that would have been sent, as NDJSON on stdout. Touches no real data and
    sends no mail.
    """
    settings = configuration()
    from integration_alerts.engine.postgres import EmbeddedPostgresError
    from integration_alerts.engine.scratch import scratch_database

    try:
        with scratch_database(settings) as environment:
            os.environ.pop("DATABASE_URL", None)
            os.environ.update(environment)
            rejected = _replay(directory, reports, until)
    except (EmbeddedPostgresError, psycopg.Error) as error:
        fail(f"no scratch database: {str(error).strip()}")
    if rejected:
        sys.exit(REJECTED)


def _replay(directory: IO[bytes], reports: IO[bytes], until: datetime | None) -> int:
    start_django(quiet=True)
    from integration_alerts.engine import backtest, database

    database.migrate()
    rejected = _import(directory)
    numbers, read, unreadable = _read_reports(reports)
    rejected += unreadable
    with click.progressbar(
        length=len(read), label="Replaying", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        rejections = backtest.replay(read, until, bar.update)
    for rejection in rejections:
        outcome = rejection.outcome
        line = numbers[rejection.index]
        click.echo(f"reports, line {line}: {outcome.field}: {outcome.error}", err=True)
    for notice in backtest.notices():
        click.echo(json.dumps(notice, ensure_ascii=False))
    database.disconnect()
    return rejected + len(rejections)


def _import(directory: IO[bytes]) -> int:
    from integration_alerts.engine import clock, importing
    from integration_alerts.engine.intake import parse

    lines = list(numbered(directory))
    answers = importing.take_directory([parse(line) for _, line in lines], clock.now())
    rejected = 0
    for (number, _), answer in zip(lines, answers, strict=True):
        if answer.error is not None:
            rejected += 1
            click.echo(f"directory, line {number}: {answer.error}", err=True)
    return rejected


def _read_reports(file: IO[bytes]) -> tuple[list[int], list["Report"], int]:
    """The line numbers and reports that can be read, and how many cannot."""
    from integration_alerts.integrations.reports import read_report

    numbers, reports, unreadable = [], [], 0
    for number, line in numbered(file):
        try:
            reports.append(read_report(decode(line), now=_END_OF_TIME))
            numbers.append(number)
        except LineError as error:
            unreadable += 1
            click.echo(f"reports, line {number}: {error}", err=True)
    return numbers, reports, unreadable
