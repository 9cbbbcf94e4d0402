"""Memory, the start, and a backtest."""

import threading
import time
from datetime import UTC, datetime

from benchmarks.filling import Layout, fill
from benchmarks.mail_servers import ROOT
from benchmarks.prepared import post, report
from benchmarks.samples import Samples, add
from benchmarks.sites import Bench, Site

_SHOPS = ROOT / "tests" / "data" / "shops"
_SETTLING_SECONDS = 6
_STORM_SECONDS = 240
_BATCH = 1000
_BACKTEST_SECONDS = 600
_WAIT = 5


def backtest(bench: Bench) -> Samples:
    """15 months of 42 web shops, 5,327 reports, through the real code."""
    samples: Samples = {}
    with bench.site() as site:
        for _ in bench.repeat("backtest", 120):
            began = time.perf_counter()
            process = site.installation.start(
                "backtest",
                "--directory", str(_SHOPS / "shops-directory.ndjson"),
                "--reports", str(_SHOPS / "shops-reports.ndjson"),
            )  # fmt: skip
            assert process.wait(_BACKTEST_SECONDS) == 0, site.installation.logs()
            add(samples, "backtest", time.perf_counter() - began)
    return samples


def start(bench: Bench) -> Samples:
    """From `run` to /readyz 200 on a data folder that is there; then what it all takes, idle."""
    samples: Samples = {}
    with bench.site() as site:
        site.database.close()
        for _ in bench.repeat("start", 120):
            site.postgres.release(wait=60)  # so that `run` starts the database too
            began = time.perf_counter()
            site.start_run()
            add(samples, "start", time.perf_counter() - began)
            time.sleep(_SETTLING_SECONDS * min(1, bench.scale))
            add(samples, "memory.idle", site.megabytes())
            site.stop(site.installation.processes[-1])
    return samples


def memory(bench: Bench) -> Samples:
    """What a storm of 100,000 integrations adds at its peak to `run`, 5,000 recipients, grouped."""
    samples: Samples = {}
    layout = Layout(
        accounts=bench.size(50), companies=100 if bench.scale == 1 else 10, integrations=20,
        group_wait=_WAIT, group_interval=_WAIT,
    )  # fmt: skip
    with bench.mail_server(bench.place) as sink, bench.site(EMAIL_URL=sink.url) as site:
        fill(site.database, layout)
        site.start_run()
        time.sleep(_SETTLING_SECONDS * min(1, bench.scale))
        idle = site.megabytes()
        bench.progress.say("a storm of 100,000")
        with _Peak(site) as peak:
            now = datetime.now(UTC)
            reports = [
                report(number, "failed", now, layout)
                for number in range(1, layout.all_integrations + 1)
            ]
            batches = range(0, len(reports), _BATCH)
            site.post([[post(reports[at : at + _BATCH], site.key) for at in batches]])
            site.wait(site.settled, _STORM_SECONDS, "all told", poll=0.25)
        assert sink.accepted() >= layout.managers
        add(samples, "memory.storm", peak.megabytes - idle)
        add(samples, "memory.mails", sink.accepted())
    return samples


class _Peak:
    """The most memory that an installation takes while the `with` block runs."""

    def __init__(self, site: Site) -> None:
        self.megabytes = 0.0
        self._site = site
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "_Peak":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.25):
            self.megabytes = max(self.megabytes, self._site.megabytes())
