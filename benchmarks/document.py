"""`docs/explanation/performance.md` and its plots, written from the results alone.

The same results give the same bytes. What people wrote (`method.md`, `notes.md`) is taken in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.mail_servers import ROOT
from benchmarks.plots import Plot, Point, svg
from benchmarks.results import Results
from benchmarks.table import comparison, figure_of, in_order
from benchmarks.targets import FIGURES, SCENARIOS, Figure, Scenario, number

_HERE = Path(__file__).parent
_HEAD = """\
# Performance

<!-- Written by `python -m benchmarks --document`: change benchmarks/*.md instead. -->

What was measured, against which target, and how to measure it again: `make bench`, or parts of it
by name: `make bench PARTS="storm sweep"`.
"""


@dataclass(frozen=True)
class Series:
    """A plot whose points are figures `<prefix>.<x>`."""

    name: str
    prefix: str
    title: str
    x_label: str
    y_label: str
    target: float | None = None


SERIES = (
    Series(
        "sweep", "sweep", "A sweep that finds nothing",
        "integrations (the last with 10 M rows of history)", "milliseconds", 5,
    ),
    Series(
        "due", "due", "Planning and composing one due notice", "integrations", "ms of CPU",
    ),
    Series(
        "mails", "connections", "Mails out, mail server 20 ms away",
        "connections of one worker", "mails a second",
    ),
    Series(
        "reports", "unchanged", "Reports in that change nothing, batches of 1,000",
        "connections", "reports a second",
    ),
)  # fmt: skip


def write(results: Results, root: Path = ROOT) -> None:
    """The page and the plots, under `docs`."""
    images = root / "docs" / "images"
    images.mkdir(parents=True, exist_ok=True)
    drawn = dict(plots(results))
    for name, picture in drawn.items():
        (images / f"scaling-{name}.svg").write_text(picture)
    page = root / "docs" / "explanation" / "performance.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(text(results, _read("method.md"), _read("notes.md")))


def text(results: Results, method: str, notes: str) -> str:
    """The page."""
    pictures = [
        f"![{series.title}: {series.y_label} over {series.x_label}]"
        f"(../images/scaling-{series.name}.svg)"
        for series in SERIES
        if _points(results, series)
    ]
    parts = [
        _HEAD,
        "## Targets\n\n" + _targets(results),
        *(["## How it scales\n\n" + "\n\n".join(pictures) + "\n"] if pictures else []),
        notes,
        "## Measured on\n\n" + _machine(results),
        method,
        "## Every figure\n\n" + _figures(results),
    ]
    return "\n".join(part.strip() + "\n" for part in parts)


def plots(results: Results) -> Iterator[tuple[str, str]]:
    """Name and SVG of every plot that there are figures for."""
    for series in SERIES:
        if points := _points(results, series):
            plot = Plot(series.title, series.x_label, series.y_label, points, series.target)
            yield series.name, svg(plot)


def _points(results: Results, series: Series) -> list[Point]:
    found = []
    for key, row in results.get("figures", {}).items():
        prefix, _, x = key.rpartition(".")
        if prefix == series.prefix and x.isdecimal():
            found.append(Point(int(x), row["median"], row["min"], row["max"]))
    return sorted(found, key=lambda point: point.x)


def _targets(results: Results) -> str:
    lines = [
        "| scenario | target | measured: median (least to most, runs) | | held against |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [_scenario(results, scenario) for scenario in SCENARIOS]
    failures = results.get("failures", {})
    notes = [f"Not measured: {part}: {_cell(why)}" for part, why in failures.items()]
    return "\n".join(lines) + "\n" + "".join(f"\n{note}\n" for note in notes)


def _scenario(results: Results, scenario: Scenario) -> str:
    rows = results.get("figures", {})
    figures = [FIGURES[key] for key in scenario.figures]
    measured, verdicts = [], []
    for figure in figures:
        row = rows.get(figure.key)
        measured.append("not measured" if row is None else _spread(figure, row))
        verdict = None if row is None else figure.met(row["median"])
        verdicts.append({True: "met", False: "**missed**", None: ""}[verdict])
    targets = [_named(figure, figure.target, len(figures)) for figure in figures]
    cells = ["<br>".join(each) for each in (targets, measured, verdicts)]
    return "| " + " | ".join([scenario.text, *cells, scenario.against]) + " |"


def _named(figure: Figure, target: str, figures: int) -> str:
    return target if figures == 1 else f"{figure.name}: {target}"


def _spread(figure: Figure, row: Results) -> str:
    unit = f" {figure.unit}" if figure.unit else ""
    least, most = number(row["min"]), number(row["max"])
    runs = "1 run" if row["n"] == 1 else f"{row['n']} runs"
    spread = runs if least == most else f"{least} to {most}, {runs}"
    return f"{number(row['median'])}{unit} ({spread})"


def _machine(results: Results) -> str:
    machine = results.get("machine", {})
    if not machine:
        return "Nothing was measured yet.\n"
    settings = "; ".join(f"`{k}` = {v}" for k, v in machine["postgresql_settings"].items())
    facts = (
        ("processors", f"{machine['processors']} × {machine['processor']}, for everything: "
                       "database, web, workers, mail server and load"),
        ("memory", f"{machine['memory_mb']:,} MB"),
        ("kernel, file system", f"Linux {machine['kernel']}, {machine['file_system']}"),
        ("a page written for good", f"{machine['fsync_ms']} ms (`fdatasync`, median)"),
        ("Python", machine["python"]),
        ("PostgreSQL", f"{machine['postgresql']}, fsync on; not as PostgreSQL ships: "
                       f"{settings or 'nothing'}"),
        ("latest run", f"{machine['date']}, revision {machine['revision']}"),
    )  # fmt: skip
    return "| | |\n| --- | --- |\n" + "".join(f"| {a} | {_cell(b)} |\n" for a, b in facts)


def _figures(results: Results) -> str:
    lines = [
        "| part | figure | median | least | most | p95 | p99 | runs | against before | of |",
        "| --- | --- | --: | --: | --: | --: | --: | --: | --- | --- |",
    ]
    for key, row in in_order(results):
        figure = figure_of(key, row["part"])
        values = [number(row[each]) for each in ("median", "min", "max", "p95", "p99")]
        name = f"{figure.name}, {figure.unit}" if figure.unit else figure.name
        cells = [row["part"], name, *values, str(row["n"]), comparison(figure, row)]
        lines.append("| " + " | ".join([*cells, f"{row['date']}, {row['revision']}"]) + " |")
    return "\n".join(lines) + "\n"


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")


def _read(name: str) -> str:
    return (_HERE / name).read_text()
