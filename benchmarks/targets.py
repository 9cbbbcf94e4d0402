"""What is measured: every figure with its unit, its target, and what it is held against.

The targets are those of the issue "Speed and scale"; the peers were measured on such a machine.
"""

from dataclasses import dataclass
from enum import StrEnum


class Sense(StrEnum):
    """On which side of its bound a figure should be."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


@dataclass(frozen=True)
class Figure:
    """Something that is measured; without a bound, for the record."""

    key: str
    part: str
    name: str
    unit: str
    sense: Sense | None = None
    bound: float | None = None

    @property
    def target(self) -> str:
        """As people read it; empty without one."""
        if self.sense is None or self.bound is None:
            return ""
        return f"{self.sense.value} {self.bound:,}{self.unit and ' ' + self.unit}"

    def met(self, value: float) -> bool | None:
        """Whether a value is on the right side; None without a target."""
        if self.bound is None:
            return None
        return value >= self.bound if self.sense is Sense.AT_LEAST else value <= self.bound

    @property
    def better_up(self) -> bool:
        """Whether more is better, for a comparison."""
        return self.sense is Sense.AT_LEAST or self.unit.endswith("/s")


@dataclass(frozen=True)
class Scenario:
    """A row of the table of targets: its figures, and the peers."""

    text: str
    figures: tuple[str, ...]
    against: str = ""


def number(value: float) -> str:
    """A figure as people read it: three digits that mean something, thousands set apart."""
    size = abs(value)
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3f}" if size < 1 else f"{value:.2f}" if size < 10 else f"{value:.1f}"


_LEAST, _MOST = Sense.AT_LEAST, Sense.AT_MOST
_ALL = (
    Figure("storm", "storm", "storm, 5,000 recipients, two workers", "mails/s", _LEAST, 2000),
    Figure("storm.cpu", "storm", "CPU a mail, two workers", "ms", _MOST, 0.8),
    Figure("storm.one", "storm", "storm, one worker", "mails/s"),
    Figure("storm.one.cpu", "storm", "CPU a mail, one worker", "ms"),
    Figure("late", "late", "storm, server 20 ms away", "mails/s", _LEAST, 1500),
    Figure("late.connections", "late", "most connections at once", "", _MOST, 40),
    Figure("late.refused", "late", "connections refused", "", _MOST, 0),
    Figure("late.cpu", "late", "CPU a mail, server 20 ms away", "ms"),
    Figure("grouped", "grouped", "last mail of a grouped storm", "s", _MOST, 1.5),
    Figure("grouped.mails", "grouped", "mails of a grouped storm", ""),
    Figure("unchanged.4", "unchanged", "unchanged, 4 connections", "reports/s", _LEAST, 45_000),
    *(
        Figure(f"unchanged.{n}", "unchanged", f"unchanged, {n} connections", "reports/s")
        for n in (1, 2, 8)
    ),
    Figure("changing.1", "changing", "changing, 1 connection", "reports/s"),
    Figure("changing.4", "changing", "changing, 4 connections", "reports/s", _LEAST, 12_000),
    Figure("changing.postgres", "changing", "UPDATE … FROM unnest", "rows/s"),
    Figure("changing.ratio", "changing", "changing reports ÷ PostgreSQL's rows", ""),
    Figure("single.unchanged", "single", "single, unchanged", "reports/s", _LEAST, 2000),
    Figure("single.changing", "single", "single, changing", "reports/s", _LEAST, 2000),
    Figure("latency.p50", "latency", "answered → accepted, p50", "ms", _MOST, 50),
    Figure("latency.p99", "latency", "answered → accepted, p99", "ms", _MOST, 250),
    Figure("sweep.10000", "sweep", "sweep at 10 k", "ms", _MOST, 5),
    Figure("sweep.100000", "sweep", "sweep at 100 k", "ms", _MOST, 5),
    Figure("sweep.1000000", "sweep", "sweep at 1 M, 10 M history", "ms", _MOST, 5),
    Figure("idle", "idle", "idle CPU of all processes at 1 M", "% of a core", _MOST, 1),
    Figure("due.10000", "due", "CPU a due notice at 10 k", "ms"),
    Figure("due.100000", "due", "CPU a due notice at 100 k", "ms"),
    Figure("due.1000000", "due", "CPU a due notice at 1 M", "ms"),
    Figure("due.ratio", "due", "CPU a due notice, 1 M ÷ 10 k", "", _MOST, 1.3),
    Figure("wave", "wave", "100,000 reminders delivered", "s", _MOST, 60),
    Figure("wave.mails", "wave", "mails of the wave", ""),
    Figure("wave.cpu", "wave", "CPU a reminder", "ms"),
    Figure("workers", "workers", "two workers ÷ one", "×", _LEAST, 1.8),
    Figure("workers.one", "workers", "one worker, 10 connections", "mails/s"),
    Figure("workers.two", "workers", "two workers, 10 connections each", "mails/s"),
    *(
        Figure(f"connections.{n}", "connections", f"{n} connections, server 20 ms away", "mails/s")
        for n in (5, 10, 20, 40)
    ),
    Figure("backtest", "backtest", "backtest of 15 months", "s", _MOST, 15),
    Figure("memory.idle", "start", "idle: run, with the database", "MB", _MOST, 300),
    Figure("memory.storm", "memory", "a storm of 100,000 adds", "MB", _MOST, 200),
    Figure("memory.mails", "memory", "mails of that storm", ""),
    Figure("start", "start", "run until /readyz answers 200", "s", _MOST, 3),
)
FIGURES = {figure.key: figure for figure in _ALL}

SCENARIOS = (
    Scenario(
        "storm: 5,000 integrations with 5,000 different recipients fail at once, `group_wait` 0: "
        "from the first POST to the last mail accepted",
        ("storm", "storm.cpu"),
        "Alertmanager 0.25 (Go, in memory, no database): 1,090/s wall, 1,456/s sending, 1.24 ms "
        "CPU a mail, 10 kB mails; django-post_office, sending prepared bodies only: 1,332/s; "
        "Healthchecks on PostgreSQL, best of its settings: 100/s, 22 ms CPU a mail",
    ),
    Scenario(
        "the same with a mail server that answers 20 ms late and takes at most 50 connections",
        ("late", "late.connections", "late.refused"),
        "Alertmanager: 525/s with 16,000 refused attempts; 987/s without the cap; "
        "Healthchecks: 102/s",
    ),
    Scenario(
        "storm: 5,000 failures, 100 recipients, grouped", ("grouped",),
        "Alertmanager: 1.3 s including its 1 s wait; ours waits 1 s too",
    ),
    Scenario(
        "reports that change nothing, batches of 1,000, 4 connections", ("unchanged.4",),
        "Alertmanager in memory: 95,000 alerts/s",
    ),
    Scenario(
        "reports that change the state (history, incident, notice: durable), batches of 1,000",
        ("changing.4",),
        "PostgreSQL's own `UPDATE … FROM unnest`, 1,000 rows a commit: 83,000 rows/s; the same run "
        "measured it as below",
    ),
    Scenario(
        "single reports, one per request, 8 connections", ("single.unchanged", "single.changing"),
        "Healthchecks, one ping a request: 504/s",
    ),
    Scenario(
        "latency, report answered → mail accepted by the SMTP server, `group_wait` 0, "
        "20 reports/s",
        ("latency.p50", "latency.p99"),
    ),
    Scenario(
        "sweep with nothing due, at 10 k, 100 k, 1 M integrations and 10 M history rows; idle CPU",
        ("sweep.10000", "sweep.100000", "sweep.1000000", "idle"),
    ),
    Scenario("cost per due notice at 1 M integrations ÷ at 10 k", ("due.ratio",)),
    Scenario(
        "100,000 reminders due at once (a day-7 wave), 10,000 recipients, grouped: planned, "
        "composed and delivered",
        ("wave",),
        "Healthchecks reminders: 0.33 mails/s as shipped, 97/s with its pause removed",
    ),
    Scenario("two worker processes ÷ one, mail server 20 ms away", ("workers",)),
    Scenario("backtest of 15 months of 42 web shops", ("backtest",)),
    Scenario(
        "memory (proportional set size): web + worker + embedded PostgreSQL, idle; what a storm of "
        "100,000 integrations adds",
        ("memory.idle", "memory.storm"),
    ),
    Scenario("`run` on an existing data folder → `/readyz` answers 200", ("start",)),
)  # fmt: skip
