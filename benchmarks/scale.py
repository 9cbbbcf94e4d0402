"""Does cost follow the work that is due, and never the number of integrations?

Installations of 10 k, 100 k and 1 M integrations (the last with 10 M rows of history) are filled
once a run of the command and shared by these parts. Accounts have 100 companies, a company has one
manager and 10 integrations; one in 30 integrations has failed and waits for its reminder.
"""

import time

from benchmarks.filling import Layout, add_history, fail, fill
from benchmarks.samples import Samples, add
from benchmarks.sites import Bench, Site

SIZES = (10_000, 100_000, 1_000_000)
HISTORY = 10_000_000
_NOTICES = 1000
_MOST_RUNS = 7  # the other integrations of a company have failed already
_IDLE_SECONDS = 12
_SETTLING_SECONDS = 8
_FAILED_DAYS = 3


def sweep(bench: Bench) -> Samples:
    """Milliseconds of a sweep that finds nothing, at each size."""
    samples: Samples = {}
    for size in SIZES:
        site = _filled(bench, size)
        bench.progress.say(f"sweeps at {size}")
        samples[f"sweep.{size}"] = site.inside("sweep", str(bench.runs))["milliseconds"]
    return samples


def idle(bench: Bench) -> Samples:
    """CPU of all processes with 1 M integrations and nothing due, in % of one core."""
    samples: Samples = {}
    site = _filled(bench, SIZES[-1])
    site.start_web()
    worker = site.start_worker()
    time.sleep(_SETTLING_SECONDS)
    for _ in bench.repeat("idle", 120):
        before, began = site.cpu_seconds(), time.monotonic()
        time.sleep(_IDLE_SECONDS * min(1, bench.scale))
        used = site.cpu_seconds() - before
        add(samples, "idle", used / (time.monotonic() - began) * 100)
    site.stop(worker)
    site.stop(site.installation.processes[0])
    return samples


def due(bench: Bench) -> Samples:
    """CPU of planning and composing a due notice, at each size; all else is equal."""
    samples: Samples = {}
    for size in SIZES:
        site, layout = _filled(bench, size), _layout(bench, size)
        step = max(1, layout.all_companies // bench.size(_NOTICES))
        for run in bench.repeat(f"due notices at {size}", 120, runs=min(bench.runs, _MOST_RUNS)):
            first = run * layout.all_companies
            number = site.database.execute(_FALL_DUE, [first, first + layout.all_companies, step])
            before = site.cpu_seconds()
            used = site.inside("advance")["cpu_seconds"] + site.cpu_seconds() - before
            mails = site.one("SELECT count(*) FROM email WHERE status = 'queued'")
            assert mails == number.rowcount, f"{mails} mails about {number.rowcount} failures"
            add(samples, f"due.{size}", used / number.rowcount * 1000)
            site.database.execute(_DONE)
            site.database.execute("DELETE FROM procrastinate_jobs")
    small, large = samples[f"due.{SIZES[0]}"], samples[f"due.{SIZES[-1]}"]
    samples["due.ratio"] = [one / other for one, other in zip(large, small, strict=False)]
    return samples


def _layout(bench: Bench, size: int) -> Layout:
    return Layout(accounts=max(1, bench.size(size) // 1000), companies=100, integrations=10)


def _filled(bench: Bench, size: int) -> Site:
    def make(site: Site) -> None:
        layout = _layout(bench, size)
        fill(site.database, layout)
        # The last three of ten of every tenth company: the others are what `due` lets fail.
        fail(
            site.database,
            f"integration.id > {layout.all_companies * 7} AND mod(integration.company_id, 9) = 0",
            _FAILED_DAYS,
        )
        if size == SIZES[-1]:
            bench.progress.say("filling history")
            add_history(site.database, layout, bench.size(HISTORY))
        site.database.execute("CHECKPOINT")

    return bench.kept(f"{size} integrations", make)


_FALL_DUE = """
WITH chosen AS (
    UPDATE integration SET state = 'failed', state_since = now(), reported_at = now(),
                           last_opened_at = now()
    WHERE id > %s AND id <= %s AND id %% %s = 0
    RETURNING id, account_id
)
INSERT INTO incident (account_id, integration_id, state, state_since, opened_at, next_notice_at)
SELECT account_id, id, 'failed', now(), now(), now() FROM chosen"""

_DONE = """
UPDATE email SET status = 'sent', open = false, next_attempt_at = NULL, ended_at = now()
WHERE status = 'queued'"""
