"""Cutting a history into spans in which nothing can happen before their last instant.

Pure. A replay takes each span in one transaction, and comes to the same notices as instant by
instant, which `tests/unit/test_spans.py` and the backtests of whole histories hold it to.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from integration_alerts.integrations.reporting import Outcome
from integration_alerts.integrations.reports import Report
from integration_alerts.rules.states import Result, State

MOST = 1000  # reports, unless an instant has more
_TAKEN = frozenset({Result.APPLIED, Result.UNCHANGED})


class Span(NamedTuple):
    """Reports with their places in the history, up to this instant."""

    until: datetime
    reports: list[tuple[int, Report]]


class Ahead:
    """What is still to be replayed: reports with their places, in the order of their instants."""

    def __init__(self, reports: Iterable[tuple[int, Report]]) -> None:
        self._instants = deque(
            Span(instant, list(group))
            for instant, group in groupby(reports, key=lambda each: each[1].occurred_at)
        )
        self._states: dict[tuple[str, str], State] = {}  # as last reported and taken

    @property
    def next_at(self) -> datetime | None:
        """The next instant; None at the end."""
        return self._instants[0].until if self._instants else None

    def next_span(self, due: datetime | None) -> Span:
        """The instants up to the first that may move an incident, and none beyond what is `due`.

        Reports that repeat a state begin nothing and end nothing (R2).
        """
        reports: list[tuple[int, Report]] = []
        while True:
            instant = self._instants.popleft()
            reports += instant.reports
            if (
                self.next_at is None
                or (due is not None and due < self.next_at)
                or len(reports) >= MOST
                or any(self._may_move(report) for _, report in instant.reports)
            ):
                return Span(instant.until, reports)

    def note(self, span: Span, outcomes: Sequence[Outcome]) -> None:
        """Remember the states; a report that was not taken leaves its integration's unknown."""
        for (_, report), outcome in zip(span.reports, outcomes, strict=True):
            if outcome.result in _TAKEN:
                self._states[_key(report)] = report.state
            else:
                self._states.pop(_key(report), None)

    def _may_move(self, report: Report) -> bool:
        return self._states.get(_key(report)) is not report.state


def _key(report: Report) -> tuple[str, str]:
    return report.account, report.integration
