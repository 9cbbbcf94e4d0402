"""Reports in: how many a second, changing the state or not, in batches or one per request.

Directory: 10 accounts with 100 companies and 10,000 integrations each. No worker runs: what is
measured is taking reports in, durably, up to the answer.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count

from benchmarks.filling import Layout, fill
from benchmarks.prepared import post, report
from benchmarks.samples import Samples, add
from benchmarks.sites import Bench, Site

BATCH = 1000
_SECONDS = 2.5
_MOST_SECONDS = 60
_PART_SECONDS = 120
# Openings of one integration stay more than 24 hours apart, so that none flaps (R23).
_APART = timedelta(hours=13)
_PLAIN_ROWS = 100_000


def unchanged(bench: Bench) -> Samples:
    """Reports that change nothing, batches of 1,000, over 1, 2, 4 and 8 connections."""
    samples: Samples = {}
    with _site(bench) as (site, layout):
        for connections in (4, 1, 2, 8):
            batches = bench.size(max(10, 160 // connections))
            for _ in bench.repeat(f"unchanged over {connections}", _PART_SECONDS):
                now = datetime.now(UTC)
                numbers = count()
                lanes = [
                    [
                        post([_active(next(numbers), now, layout) for _ in range(BATCH)], site.key)
                        for _ in range(batches)
                    ]
                    for _ in range(connections)
                ]
                add(samples, f"unchanged.{connections}", _rate(site, lanes, "unchanged", _SECONDS))
    return samples


def changing(bench: Bench) -> Samples:
    """Reports that each open or close an incident, batches of 1,000, over 1 and 4 connections."""
    samples: Samples = {}
    with _site(bench) as (site, layout):
        states = _States(layout)
        for connections in (1, 4):
            batches = bench.size(max(10, 40 // connections))
            for _ in bench.repeat(f"changing over {connections}", _PART_SECONDS):
                lanes = [
                    [post(states.next_of(lane, BATCH), site.key) for _ in range(batches)]
                    for lane in range(connections)
                ]
                add(samples, f"changing.{connections}", _rate(site, lanes, "applied"))
        for _ in bench.repeat("PostgreSQL's own UPDATE", _PART_SECONDS):
            add(samples, "changing.postgres", _plain_updates(site))
        add(
            samples, "changing.ratio",
            _median(samples["changing.1"]) / _median(samples["changing.postgres"]),
        )  # fmt: skip
    return samples


def single(bench: Bench) -> Samples:
    """One report per request, 8 connections."""
    samples: Samples = {}
    with _site(bench) as (site, layout):
        states = _States(layout)
        each = bench.size(1200)
        for _ in bench.repeat("single, unchanged", _PART_SECONDS):
            now, numbers = datetime.now(UTC), count()
            lanes = [
                [
                    post([_active(50_000 + next(numbers), now, layout)], site.key)
                    for _ in range(each)
                ]
                for _ in range(8)
            ]
            add(samples, "single.unchanged", _rate(site, lanes, "unchanged", _SECONDS))
        for _ in bench.repeat("single, changing", _PART_SECONDS):
            lanes = [
                [post(states.next_of(lane, 1), site.key) for _ in range(each)] for lane in range(8)
            ]
            add(samples, "single.changing", _rate(site, lanes, "applied"))
    return samples


class _States:
    """Changes of state that alternate, each lane with integrations of its own."""

    def __init__(self, layout: Layout, lanes: int = 8) -> None:
        self._layout = layout
        self._lanes = lanes
        self._done: dict[int, int] = {}
        self._per_lane = layout.all_integrations // 2 // lanes
        self._began = datetime.now(UTC) - timedelta(days=29)

    def next_of(self, lane: int, number: int) -> list[dict[str, object]]:
        """The next so many reports of a lane; each opens or closes an incident."""
        first = self._done.get(lane, 0)
        self._done[lane] = first + number
        return [self._report(lane, index) for index in range(first, first + number)]

    def _report(self, lane: int, index: int) -> dict[str, object]:
        cycle, offset = divmod(index, self._per_lane)
        at = self._began + cycle * _APART
        return report(
            1 + lane * self._per_lane + offset, ("failed", "active")[cycle % 2], at, self._layout
        )


def _active(number: int, now: datetime, layout: Layout) -> dict[str, object]:
    # From the second half: `_States` has the first one.
    half = layout.all_integrations // 2
    return report(1 + half + number % half, "active", now, layout)


def _rate(
    site: Site, lanes: list[list[bytes]], outcome: str, seconds: float = _MOST_SECONDS
) -> float:
    """Reports a second; each must have this outcome. What follows builds on all being sent."""
    done = site.post(lanes, seconds=seconds)
    answered = {name: number for name, number in done["outcomes"].items() if number}
    assert list(answered) == [outcome], answered
    return float(answered[outcome] / done["seconds"])


def _plain_updates(site: Site) -> float:
    """Rows a second of `UPDATE … FROM unnest`, 1,000 rows a commit, on this PostgreSQL."""
    database = site.database
    database.execute(_MAKE_PLAIN)
    database.execute(_FILL_PLAIN, [_PLAIN_ROWS])
    database.execute("VACUUM ANALYZE benchmark_plain")
    began, rows, now = time.monotonic(), 0, datetime.now(UTC)
    while time.monotonic() - began < _SECONDS:
        ids = [1 + (rows + number) % _PLAIN_ROWS for number in range(BATCH)]
        database.execute(_UPDATE_PLAIN, [ids, ["failed"] * BATCH, [now] * BATCH])
        rows += BATCH
    rate = rows / (time.monotonic() - began)
    database.execute("DROP TABLE benchmark_plain")
    return rate


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


@contextmanager
def _site(bench: Bench) -> Iterator[tuple[Site, Layout]]:
    layout = Layout(accounts=10, companies=100, integrations=max(20, bench.size(100)))
    with bench.site() as site:
        fill(site.database, layout)
        site.start_web()
        yield site, layout


_MAKE_PLAIN = """
CREATE TABLE benchmark_plain (id integer PRIMARY KEY, state text, since timestamptz)"""
_FILL_PLAIN = """
INSERT INTO benchmark_plain SELECT n, 'active', now() FROM generate_series(1, %s) n"""
_UPDATE_PLAIN = """
UPDATE benchmark_plain SET state = batch.state, since = batch.since
FROM unnest(%s::int[], %s::text[], %s::timestamptz[]) AS batch (id, state, since)
WHERE benchmark_plain.id = batch.id"""
