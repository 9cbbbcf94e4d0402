"""The parts of a run, by name, in the order in which they are run."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import latency, reports, resources, scale, storms, wave
from benchmarks.pages import pages
from benchmarks.samples import Samples
from benchmarks.sites import Bench


@dataclass(frozen=True)
class Part:
    """What is measured together; `sink`: it sends to `smtp-sink`."""

    measure: Callable[[Bench], Samples]
    sink: bool = False

    @property
    def about(self) -> str:
        """What it measures, in one line."""
        return (self.measure.__doc__ or "").partition("\n")[0]


PARTS = {
    "storm": Part(storms.storm, sink=True),
    "late": Part(storms.late, sink=True),
    "grouped": Part(storms.grouped, sink=True),
    "unchanged": Part(reports.unchanged),
    "changing": Part(reports.changing),
    "single": Part(reports.single),
    "latency": Part(latency.latency),
    "wave": Part(wave.wave, sink=True),
    "workers": Part(storms.workers, sink=True),
    "connections": Part(storms.connections, sink=True),
    "backtest": Part(resources.backtest),
    "start": Part(resources.start),
    "memory": Part(resources.memory, sink=True),
    "pages": Part(lambda bench: pages(bench.place / "pages")),
    "sweep": Part(scale.sweep),
    "due": Part(scale.due),
    "idle": Part(scale.idle),
}

APART = {
    "writing": "Writing mails in batches, in one process.",
    "spreading": "Accounts in two databases against one.",
    "capacity": "What one of each costs; writes docs/explanation/capacity.md.",
    "retention": "Pruning at 10 million rows of history, beside reports and mails (minutes).",
}
"""Parts with a table of their own; `python -m benchmarks.<part>`."""
