"""`python -m benchmarks [PART ...]`: measure, print a table of medians and spread.

Everything runs on this machine and talks to loopback only; each part is bounded in time and count.
The larger scenarios, their targets and the peers come with the work on speed and scale.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.installation import Installation, failed, get, ndjson, post, report, wait_for
from tests.smtp_server import SmtpServer

from benchmarks.pages import pages as measure_pages

RUNS = 5
DATA = Path(__file__).parents[1] / "tests" / "data" / "shops"
Samples = dict[str, list[float]]


def backtest() -> Samples:
    """15 months of 42 web shops, 5,327 reports, through the real code."""
    files = (
        "--directory",
        str(DATA / "shops-directory.ndjson"),
        "--reports",
        str(DATA / "shops-reports.ndjson"),
    )
    with folder() as place:
        installation = Installation(place, None)

        def replay() -> None:
            assert installation.command("backtest", *files).returncode == 0

        return {"backtest of 15 months, s": [seconds(replay) for _ in range(RUNS)]}


def start() -> Samples:
    """From `run` to an answer of /readyz 200, on a new folder and on one that is there."""
    samples: Samples = {"first start until ready, s": [], "later start until ready, s": []}
    for _ in range(RUNS):
        with folder() as place:
            for name in samples:
                installation = Installation(place, None)
                samples[name].append(seconds(lambda: until_ready(installation)))  # noqa: B023
                installation.close()
    return samples


def latency() -> Samples:
    """From a report's answer to its mail in the SMTP server, 100 reports one after another."""
    with running() as (installation, address, smtp):
        samples = []
        for number in range(100):
            before = len(smtp.messages)
            answered = installation.post(address, "reports", [failed(f"ads-{number}")])
            began = time.perf_counter()
            assert answered.status == 200
            smtp.wait_for_messages(before + 2)
            samples.append((time.perf_counter() - began) * 1000)
        return {"report answered to both mails accepted, ms": samples}


def reports() -> Samples:
    """Reports a second over HTTP, one client, batches of 1,000: changing and unchanged ones."""
    with running(worker=False) as (installation, address, _):
        key = installation.key()

        def rate(state: str) -> float:
            batch = [report(state, f"ads-{number}") for number in range(1000)]
            return 1000 / seconds(lambda: post_batch(address, batch, key))

        samples: Samples = {"changing reports a second": [], "unchanged reports a second": []}
        for _ in range(RUNS):
            rate("disabled")
            samples["changing reports a second"].append(rate("active"))
            samples["unchanged reports a second"].append(rate("active"))
        return samples


def pages() -> Samples:
    """The list of integrations with 100,000 in one account; server time without a network."""
    with folder() as place:
        return measure_pages(place)


PARTS: dict[str, Callable[[], Samples]] = {
    part.__name__: part for part in (backtest, start, latency, reports, pages)
}


def main(names: list[str]) -> None:
    """Run the named parts, or all; print the table and one line of JSON."""
    if unknown := set(names) - set(PARTS):
        sys.exit(f"benchmarks: no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    results: dict[str, dict[str, float]] = {}
    print(f"{'':46}{'median':>10}{'min':>10}{'max':>10}{'p95':>10}{'p99':>10}{'n':>6}")
    for name in names or PARTS:
        for what, values in PARTS[name]().items():
            ordered = sorted(values)
            results[what] = {
                "median": statistics.median(ordered),
                "min": ordered[0],
                "max": ordered[-1],
                "p95": ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))],
                "p99": ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))],
                "n": len(ordered),
            }
            figures = "".join(
                f"{results[what][key]:10.2f}" for key in ("median", "min", "max", "p95", "p99")
            )
            print(f"{what:46}{figures}{len(ordered):6}", flush=True)
    print(json.dumps(results))


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="integration-alerts-bench-") as place:
        yield Path(place)


@contextmanager
def running(*, worker: bool = True) -> Iterator[tuple[Installation, str, SmtpServer]]:
    """A web process and a worker on the embedded database, with a real SMTP server."""
    with SmtpServer() as smtp, folder() as place:
        mail = f"smtp://127.0.0.1:{smtp.port}"
        installation = Installation(place, None, EMAIL_URL=mail)
        try:
            installation.import_directory()
            address = installation.web()
            if worker:
                installation.start("worker")
                wait_for(lambda: get(f"{address}/readyz").status == 200, what="a worker")
            installation.key()
            yield installation, address, smtp
        finally:
            installation.close()


def until_ready(installation: Installation) -> None:
    """Start `run` and wait until it is ready."""
    address = installation.web("run")
    wait_for(lambda: get(f"{address}/readyz").status == 200, what="/readyz")


def post_batch(address: str, batch: list[dict[str, object]], key: str) -> None:
    """Post a batch as NDJSON."""
    answer = post(f"{address}/api/v1/reports", ndjson(batch).encode(), key, "application/x-ndjson")
    assert answer.status == 200, answer.body


def seconds(action: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(sys.argv[1:])
