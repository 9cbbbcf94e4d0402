"""The figures as a table on the terminal."""

from collections.abc import Collection

from benchmarks.results import Results
from benchmarks.targets import FIGURES, Figure, number

_HEAD = ("median", "min", "max", "p95", "p99", "n", "target", "", "before")
_WIDTHS = (11, 11, 11, 11, 11, 4, 18, 7, 16)


def table(results: Results, parts: Collection[str]) -> str:
    """A line for every figure of these parts, and one for every part that failed."""
    lines = [f"{'':54}" + _columns(_HEAD)]
    for key, row in in_order(results):
        if row["part"] in parts:
            figure = figure_of(key, row["part"])
            name = f"{figure.name}, {figure.unit}" if figure.unit else figure.name
            values = [number(row[each]) for each in ("median", "min", "max", "p95", "p99")]
            verdict = {True: "met", False: "MISSED", None: ""}[figure.met(row["median"])]
            cells = [*values, str(row["n"]), figure.target, verdict, comparison(figure, row)]
            lines.append(f"{name:54}" + _columns(cells))
    lines += [
        f"{part}: not measured: {why}" for part, why in results["failures"].items() if part in parts
    ]
    return "\n".join(lines)


def in_order(results: Results) -> list[tuple[str, Results]]:
    """Every figure by its key, in the order of `targets`; what that does not know comes last."""
    places = {key: place for place, key in enumerate(FIGURES)}
    rows = results.get("figures", {}).items()
    return sorted(rows, key=lambda each: (places.get(each[0], len(places)), each[0]))


def figure_of(key: str, part: str) -> Figure:
    """The figure of a key; of one that `targets` does not know, the key is the name."""
    return FIGURES.get(key, Figure(key, part, key, ""))


def comparison(figure: Figure, row: Results) -> str:
    """How it stands to the figure before: `× 1.25 better`; empty when there was none."""
    before = row.get("before")
    if before is None or not before["median"]:
        return ""
    ratio = row["median"] / before["median"]
    if round(ratio, 2) == 1:
        return "× 1.00"
    better = (ratio > 1) == figure.better_up
    return f"× {ratio:.2f} {'better' if better else 'worse'}"


def _columns(cells: Collection[str]) -> str:
    return "".join(f"{cell:>{width}}" for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()
