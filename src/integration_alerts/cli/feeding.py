"""`import` and `report`: lines of JSON from a file, in batches, with every rejection told."""

import os
import sys
from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import IO, Any

import click

from integration_alerts.cli.session import REJECTED, database_ready
from integration_alerts.directory.lines import numbered

Rejected = tuple[int, str]  # line number, what is wrong


@click.command("import")
@click.argument("file", type=click.File("rb"))
def import_directory(file: IO[bytes]) -> None:
    """Import directory lines (NDJSON) from FILE; `-` reads stdin.

    Idempotent: importing a file again changes nothing. Lines that are wrong are told on stderr,
    and the others are imported all the same.
    """
    with database_ready():
        from integration_alerts.engine import clock, importing
        from integration_alerts.engine.intake import parse

        def take(lines: list[tuple[int, bytes]]) -> tuple[Counter[str], list[Rejected]]:
            values = [parse(line) for _, line in lines]
            answers = importing.take_directory(values, clock.now())
            rejected = [
                (number, str(answer.error))
                for (number, _), answer in zip(lines, answers, strict=True)
                if answer.error is not None
            ]
            return Counter(applied=len(lines) - len(rejected)), rejected

        _feed(file, importing.BATCH, take, ("applied", "rejected"))


@click.command()
@click.argument("file", type=click.File("rb"))
def report(file: IO[bytes]) -> None:
    """Take status reports (NDJSON) from FILE; `-` reads stdin.

    Prints how many were applied, unchanged, duplicate, stale and rejected.
    """
    with database_ready():
        from integration_alerts.engine import clock, intake
        from integration_alerts.rules.states import Result

        def take(lines: list[tuple[int, bytes]]) -> tuple[Counter[str], list[Rejected]]:
            values: list[Any] = [intake.parse_report(line) for _, line in lines]
            answers = intake.take_reports(values, clock.now())
            counts: Counter[str] = Counter(answer.outcome.result.value for answer in answers)
            rejected = [
                (number, f"{answer.outcome.field}: {answer.outcome.error}".removeprefix(": "))
                for (number, _), answer in zip(lines, answers, strict=True)
                if answer.outcome.result is Result.REJECTED
            ]
            del counts[Result.REJECTED.value]
            return counts, rejected

        _feed(file, intake.BATCH, take, tuple(result.value for result in Result))


def _feed(
    file: IO[bytes],
    batch: int,
    take: Callable[[list[tuple[int, bytes]]], tuple[Counter[str], list[Rejected]]],
    words: tuple[str, ...],
) -> None:
    """Feed a file to `take` in batches; print the counts; end with 1 if a line was rejected."""
    counts: Counter[str] = Counter()
    lines = numbered(file)
    with click.progressbar(
        length=_size(file), label="Reading", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        while piece := list(islice(lines, batch)):
            found, rejected = take(piece)
            counts += found
            counts["rejected"] += len(rejected)
            for number, problem in rejected:
                click.echo(f"line {number}: {problem}", err=True)
            bar.update(sum(len(line) + 1 for _, line in piece))
    click.echo(", ".join(f"{word} {counts[word]}" for word in words))
    if counts["rejected"]:
        sys.exit(REJECTED)


def _size(file: IO[bytes]) -> int:
    try:
        return os.fstat(file.fileno()).st_size
    except OSError:
        return 0
