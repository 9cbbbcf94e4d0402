"""From a report's answer to the SMTP server's acceptance of its mail, 20 reports a second."""

from datetime import UTC, datetime

from benchmarks.filling import Layout, fill
from benchmarks.mail_servers import TimingServer
from benchmarks.prepared import post, report
from benchmarks.samples import Samples, add
from benchmarks.sites import Bench

_RATE = 20.0
_MAILS = 200
_MILLISECOND = 1e6


def latency(bench: Bench) -> Samples:
    """p50 and p99 of every run; `group_wait` 0, each report with a recipient of its own."""
    samples: Samples = {}
    count = bench.size(_MAILS)
    layout = Layout(accounts=1, companies=count, integrations=bench.runs + 1)
    with TimingServer(bench.place) as server, bench.site(EMAIL_URL=server.url) as site:
        fill(site.database, layout)
        site.start_web()
        site.start_worker()
        for run in bench.repeat("latency", 120, runs=bench.runs + 1):
            numbers = range(run * count + 1, (run + 1) * count + 1)
            now = datetime.now(UTC)
            lane = [post([report(n, "failed", now, layout)], site.key) for n in numbers]
            done = site.post([lane], pace=_RATE)
            site.wait(lambda: server.accepted() >= (run + 1) * count, 60, "mails")  # noqa: B023
            site.wait(site.settled, 60, "outcomes recorded")
            accepted = server.instants()
            waits = sorted(
                (accepted[layout.address(number)] - answered) / _MILLISECOND
                for number, answered in zip(numbers, done["instants"][0], strict=True)
            )
            if run:  # the first one warms up
                add(samples, "latency.p50", waits[len(waits) // 2])
                add(samples, "latency.p99", waits[min(len(waits) - 1, int(len(waits) * 0.99))])
    return samples
