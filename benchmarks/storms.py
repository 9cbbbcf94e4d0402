"""Storms: thousands of integrations fail at once, and everybody is told.

Directory: 50 accounts with 100 companies each, every company with one manager of its own. Each run
fails integrations that have never failed before, so that none of them flaps (R23).
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks.filling import Layout, fill
from benchmarks.mail_servers import LateServer, MailServer, Server
from benchmarks.prepared import post, report
from benchmarks.samples import Samples, add
from benchmarks.sites import Bench, Site

BATCH = 1000
LATE_SECONDS = 0.02
MOST_CONNECTIONS = 50
_WARM_UP = 500
_STORM_SECONDS = 300
_PART_SECONDS = 240
_NO_LIMIT = 10_000


@dataclass(frozen=True)
class Storm:
    """What a storm took."""

    mails: int
    seconds: float
    """From before the first POST to the last mail accepted."""
    cpu: float
    """CPU seconds of all processes of the installation, until every outcome was recorded."""

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.mails / self.seconds


def storm(bench: Bench) -> Samples:
    """5,000 integrations with 5,000 different recipients, `group_wait` 0; one worker, then two."""
    samples: Samples = {}
    layout = _layout(bench, integrations=2 * bench.runs + 2)
    fresh = iter(range(2 * bench.runs + 2))
    with bench.mail_server(bench.place) as sink, _ready(bench, layout, sink) as site:
        for key in ("storm.one", "storm"):
            site.start_worker("--concurrency", "20")
            _warm_up(site, layout, sink, next(fresh))
            for _ in bench.repeat(key, _PART_SECONDS):
                done = strike(site, layout, sink, next(fresh), layout.all_companies)
                add(samples, key, done.rate)
                add(samples, f"{key}.cpu", done.cpu / done.mails * 1000)
    return samples


def late(bench: Bench) -> Samples:
    """The same with a mail server 20 ms away that takes 50 connections."""
    samples: Samples = {}
    layout = _layout(bench)
    with _far_away(bench, MOST_CONNECTIONS) as (sink, server):
        with _ready(bench, layout, server) as site:
            site.start_worker()
            _warm_up(site, layout, sink)
            for run in bench.repeat("late", _PART_SECONDS):
                done = strike(site, layout, sink, 1 + run, layout.all_companies)
                add(samples, "late", done.rate)
                add(samples, "late.cpu", done.cpu / done.mails * 1000)
        add(samples, "late.connections", server.seen()["peak"])
        add(samples, "late.refused", server.seen()["refused"])
    return samples


def grouped(bench: Bench) -> Samples:
    """5,000 failures, 100 recipients; GROUP_WAIT and GROUP_INTERVAL are 1 s."""
    samples: Samples = {}
    layout = _layout(bench, per_manager=50 if bench.scale == 1 else 5, wait=1)
    with bench.mail_server(bench.place) as sink, _ready(bench, layout, sink) as site:
        site.start_worker()
        strike_grouped(site, layout, sink, 0)
        for run in bench.repeat("grouped", _PART_SECONDS):
            time.sleep(2 * layout.group_wait)  # else the group is one of the beat of the run before
            done = strike_grouped(site, layout, sink, 1 + run)
            add(samples, "grouped", done.seconds)
            add(samples, "grouped.mails", done.mails)
    return samples


def workers(bench: Bench) -> Samples:
    """Two workers with 10 connections each against one, mail server 20 ms away."""
    samples: Samples = {}
    layout = _layout(bench, integrations=2 * bench.runs + 1)
    count = min(layout.all_companies, bench.size(2000))
    with _far_away(bench, _NO_LIMIT) as (sink, server), _ready(bench, layout, server) as site:
        site.start_worker("--concurrency", "10")
        _warm_up(site, layout, sink)
        for run in bench.repeat("workers", _PART_SECONDS):
            one = strike(site, layout, sink, 1 + 2 * run, count)
            second = site.start_worker("--concurrency", "10")
            two = strike(site, layout, sink, 2 + 2 * run, count)
            site.stop(second)
            add(samples, "workers", two.rate / one.rate)
            add(samples, "workers.one", one.rate)
            add(samples, "workers.two", two.rate)
    return samples


def connections(bench: Bench) -> Samples:
    """Mails a second over the number of connections, mail server 20 ms away."""
    samples: Samples = {}
    layout = _layout(bench, integrations=13)
    count, fresh = min(layout.all_companies, bench.size(1000)), iter(range(1, 13))
    with _far_away(bench, _NO_LIMIT) as (sink, server), _ready(bench, layout, server) as site:
        for number in (5, 10, 20, 40):
            worker = site.start_worker("--concurrency", str(number))
            if number == 5:
                _warm_up(site, layout, sink)
            for _ in bench.repeat(f"{number} connections", 60, runs=3):
                done = strike(site, layout, sink, next(fresh), count)
                add(samples, f"connections.{number}", done.rate)
            site.stop(worker)
    return samples


def strike(site: Site, layout: Layout, sink: MailServer, run: int, count: int) -> Storm:
    """Fail the first `count` of a run's integrations, each with a recipient; wait for all mails."""
    before, cpu = sink.accepted(), site.cpu_seconds()
    posted = site.post([_failures(site, layout, run, count)])
    site.wait(
        lambda: sink.accepted() - before >= count, _STORM_SECONDS, f"{count} mails", poll=0.01
    )
    ended = sink.last_at()
    site.wait(site.settled, _STORM_SECONDS, "outcomes recorded", poll=0.2)
    used = site.cpu_seconds() - cpu
    accepted = sink.accepted() - before
    assert accepted == count, f"{accepted} mails about {count} failures"
    return Storm(count, ended - posted["began"], used)


def strike_grouped(site: Site, layout: Layout, sink: MailServer, run: int) -> Storm:
    """Fail all of a run's integrations; wait until every recipient has been told of all theirs."""
    before, cpu = sink.accepted(), site.cpu_seconds()
    posted = site.post([_failures(site, layout, run, layout.all_companies)])
    site.wait(site.settled, _STORM_SECONDS, "all told")
    mails, ended = sink.accepted() - before, sink.last_at()
    assert mails >= layout.managers, f"{mails} mails for {layout.managers} recipients"
    return Storm(mails, ended - posted["began"], site.cpu_seconds() - cpu)


def _failures(site: Site, layout: Layout, run: int, count: int) -> list[bytes]:
    first, now = run * layout.all_companies + 1, datetime.now(UTC)
    reports = [report(number, "failed", now, layout) for number in range(first, first + count)]
    return [post(reports[at : at + BATCH], site.key) for at in range(0, count, BATCH)]


def _layout(bench: Bench, *, per_manager: int = 1, wait: int = 0, integrations: int = 0) -> Layout:
    return Layout(
        accounts=bench.size(50), companies=100 if bench.scale == 1 else 10,
        integrations=integrations or bench.runs + 1, companies_per_manager=per_manager,
        group_wait=wait, group_interval=wait,
    )  # fmt: skip


@contextmanager
def _ready(bench: Bench, layout: Layout, server: Server) -> Iterator[Site]:
    with bench.site(EMAIL_URL=server.url) as site:
        fill(site.database, layout)
        site.start_web()
        yield site


@contextmanager
def _far_away(bench: Bench, connections: int) -> Iterator[tuple[MailServer, LateServer]]:
    with bench.mail_server(bench.place) as sink:
        late_server = LateServer(bench.place, sink, seconds=LATE_SECONDS, connections=connections)
        with late_server as server:
            yield sink, server


def _warm_up(site: Site, layout: Layout, sink: MailServer, run: int = 0) -> None:
    """What runs for days has met a failure before: modules, connections and plans are there."""
    strike(site, layout, sink, run, min(_WARM_UP, layout.all_companies))
    time.sleep(1)
