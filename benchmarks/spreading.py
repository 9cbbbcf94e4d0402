"""Accounts over two databases against one: reports that change the state, of 100 accounts.

Each installation is complete: PostgreSQL, web, worker. All share this machine's processors, so what
counts is the CPU of a report: if two need no more than one, then two machines take twice as many.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.installation import Installation, failed, post

from benchmarks.samples import say

ACCOUNTS = 100
ROUNDS = 20  # batches for each installation's half or whole of the accounts
BATCH = 500
Samples = dict[str, list[float]]
_TICKS = os.sysconf("SC_CLK_TCK")


def spreading(place: Path, runs: int = 3) -> Samples:
    """Reports a second and CPU ms a report, with all accounts in one database and in two."""
    samples: Samples = {}
    for databases in (1, 2):
        rates, costs = [], []
        for run in range(runs):
            folder = place / f"{databases}-{run}"
            rate, cost = _measure(folder, databases)
            rates.append(rate)
            costs.append(cost)
        samples[f"reports/s, accounts in {databases} database(s)"] = rates
        samples[f"CPU ms a report, accounts in {databases} database(s)"] = costs
    one, two = (samples[f"reports/s, accounts in {n} database(s)"] for n in (1, 2))
    samples["throughput of two databases / one, on one machine"] = [
        b / a for a, b in zip(one, two, strict=True)
    ]
    return samples


def _measure(folder: Path, databases: int) -> tuple[float, float]:
    with ExitStack() as stack:
        senders: list[Callable[[], None]] = []
        for number in range(databases):
            (home := folder / str(number)).mkdir(parents=True)
            installation = Installation(home, None)
            stack.callback(installation.close)
            address = installation.web("run")
            accounts = [f"account-{each}" for each in range(number, ACCOUNTS, databases)]
            installation.import_directory(line for each in accounts for line in _account(each))
            bodies = _bodies(accounts, ROUNDS // databases)
            senders.append(_sender(address, installation.key(), bodies))
        reports = BATCH * ROUNDS
        before, began = _cpu(folder), time.monotonic()
        with ThreadPoolExecutor(databases) as threads:
            list(threads.map(lambda send: send(), senders))
        seconds = time.monotonic() - began
        return reports / seconds, (_cpu(folder) - before) * 1000 / reports


def _sender(address: str, key: str, bodies: list[bytes]) -> Callable[[], None]:
    def send() -> None:
        for body in bodies:
            reply = post(f"{address}/api/v1/reports", body, key)
            assert reply.status == 200, reply.body

    return send


def _bodies(accounts: list[str], rounds: int) -> list[bytes]:
    def report(number: int) -> dict[str, Any]:
        account = accounts[number % len(accounts)]
        return failed(f"integration-{number}", account=account, id=f"event-{number}")

    return [
        json.dumps([report(at * BATCH + number) for number in range(BATCH)]).encode()
        for at in range(rounds)
    ]


def _account(name: str) -> list[dict[str, Any]]:
    return [
        {"type": "account", "id": name, "name": name},
        {"type": "company", "account": name, "id": "north", "name": "North"},
    ]


def _cpu(folder: Path) -> float:
    """Seconds of CPU that the processes of the installations below have used so far."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            own = f"DATA_DIR={folder}/".encode() in (process / "environ").read_bytes()
            if not own and folder not in (process / "cwd").readlink().parents:
                continue
            fields = (process / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[11:15]))  # proc(5): own time and that of ended children
    return total / _TICKS


def main() -> None:
    """Measure, and print it."""
    with tempfile.TemporaryDirectory(prefix="integration-alerts-bench-") as place:
        say(spreading(Path(place)))


if __name__ == "__main__":
    main()
