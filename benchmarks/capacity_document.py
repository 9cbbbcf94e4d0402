"""Writes docs/explanation/capacity.md: measured costs, model, examples, where a server ends."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template

from benchmarks.capacity_model import SIZES, Habits, Model, Need

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "explanation" / "capacity.md"
MILLION = 1_000_000

_WHAT = ("WAL bytes", "CPU of PostgreSQL, ms", "CPU of our processes, ms")
_COSTS = {
    "first report": "first report of an integration",
    "unchanged report": "unchanged report",
    "failing report": "report that opens an incident",
    "mending report": "report that closes one",
    "mail": "mail",
    "notice": "notice in a mail, planning included",
}
_ROWS = {
    "integration": ("integration",),
    "state change": ("state_change",),
    "event id": ("report_receipt",),
    "incident": ("incident",),
    "notice": ("notice",),
    "mail, with a text of up to 2 kB packed": ("email", "delivery_attempt"),
    "text of a larger mail, apart": ("email TOAST",),
    "notice in a mail": ("email_notice",),
}
_OFTEN, _DAILY = Habits(reports=288), Habits(reports=1)
_EXAMPLES = ((50, _OFTEN), (100_000, _OFTEN), (50 * MILLION, _DAILY))

# What a large but ordinary server gives for good: not a peak, and with room for the peaks.
_STORAGE, _WAL, _CORES = 4e12, 50e6, 8


def write(samples: Mapping[str, list[float]]) -> None:
    """Write the document from a measurement."""
    model = Model(samples)
    template = Template((HERE / "capacity.template").read_text())
    spread = "../how-to/spread-accounts.md"
    there = (DOCUMENT.parent / spread).exists()
    DOCUMENT.write_text(
        template.substitute(
            sizes=" and ".join(f"{each:,}" for each in SIZES),
            rows=_table(("one", "bytes"), _rows(model)),
            costs=_table(("one", *_WHAT), _costs(model)),
            millions=_table(("for a million", "stored", "WAL", "CPU of all"), _millions(model)),
            examples=_table(("", *(f"{number:,}" for number, _ in _EXAMPLES)), _examples(model)),
            ends=_table(("resource", "of it", "reports every 5 minutes", "a report a day"),
                        _ends(model)),
            storm=_storm(model),
            spread=f"[Spread accounts]({spread})" if there else "Spread accounts",
        )
    )  # fmt: skip


def _rows(model: Model) -> Iterable[tuple[str, ...]]:
    for name, tables in _ROWS.items():
        yield name, f"{model.row(*tables):,.0f}"


def _costs(model: Model) -> Iterable[tuple[str, ...]]:
    for name, words in _COSTS.items():
        wal, *times = (model.cost(name, what) for what in _WHAT)
        yield words, f"{wal:,.0f}", *(f"{time:.3f}" for time in times)


def _millions(model: Model) -> Iterable[tuple[str, ...]]:
    def line(words: str, stored: float, *costs: str) -> tuple[str, ...]:
        wal = sum(model.cost(cost, _WHAT[0]) for cost in costs)
        cpu = sum(model.cost(cost, what) for cost in costs for what in _WHAT[1:]) / 1000
        return words, size(stored * MILLION), size(wal * MILLION), f"{cpu * MILLION / 60:,.1f} min"

    change = model.row("state_change", "report_receipt")
    yield line("integrations, by their first reports",
               model.row("integration") + change, "first report")  # fmt: skip
    yield line("unchanged reports", model.row("report_receipt"), "unchanged report")
    yield line("incidents, opened and closed", model.row("incident", "notice") + 2 * change,
               "failing report", "mending report")  # fmt: skip
    yield line("mails with one notice",
               model.row("email", "delivery_attempt", "email_notice") + model.text,
               "mail", "notice")  # fmt: skip


def _examples(model: Model) -> Iterable[tuple[str, ...]]:
    needs = [model.need(number, habits) for number, habits in _EXAMPLES]
    yield "unchanged reports a day of each", *(f"{habits.reports:g}" for _, habits in _EXAMPLES)
    yield (
        "unchanged reports a second",
        *(f"{number * habits.reports / 86_400:,.1f}" for number, habits in _EXAMPLES),
    )
    yield "incidents a day", *(f"{number * habits.incidents:,.0f}" for number, habits in _EXAMPLES)
    for kind in needs[0].bytes:
        yield kind, *(size(need.bytes[kind]) for need in needs)
    yield "stored in all", *(f"**{size(need.stored)}**" for need in needs)
    yield "WAL a second", *(size(need.wal) for need in needs)
    yield "cores of PostgreSQL", *(f"{need.database:.2g}" for need in needs)
    yield "cores of our processes", *(f"{need.program:.2g}" for need in needs)


def _ends(model: Model) -> Iterable[tuple[str, ...]]:
    million = [model.need(MILLION, habits) for habits in (_OFTEN, _DAILY)]
    limits = {
        "storage": (_STORAGE, size(_STORAGE), lambda need: need.stored),
        "WAL a second": (_WAL, size(_WAL), lambda need: need.wal),
        "cores of one primary": (_CORES, str(_CORES), lambda need: need.database),
    }
    reached = {
        name: [limit / _read(read, need) for need in million]
        for name, (limit, _, read) in limits.items()
    }
    first = [min(reached, key=lambda name: reached[name][column]) for column in (0, 1)]
    for name, (_, words, _) in limits.items():
        yield (
            name,
            words,
            *(
                f"{'**' if first[column] == name else ''}{reached[name][column]:,.1f} M"
                f"{'**' if first[column] == name else ''}"
                for column in (0, 1)
            ),
        )


def _read(read: object, need: Need) -> float:
    assert callable(read)
    return float(read(need))


def _storm(model: Model) -> str:
    seconds = [
        100_000 * (model.cost("failing report", what) + model.cost("notice", what)) / 1000
        for what in _WHAT[1:]
    ]
    return f"{sum(seconds):,.0f}"


def size(number: float) -> str:
    """Bytes in a unit for people, in powers of 1,000."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:,.0f} {unit}" if unit == "B" else f"{number:,.1f} {unit}"
        number /= 1000
    return f"{number:,.1f} TB"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---", *("---:" for _ in head[1:])), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
