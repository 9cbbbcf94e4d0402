"""`python -m benchmarks.inside sweep|advance`: parts of the engine in a process of their own.

With the environment of an installation, as its processes have it. Prints one line of JSON.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

_CALLS = 50
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def sweep(runs: int) -> dict[str, object]:
    """The milliseconds of a sweep: of each run, the median of 50."""
    from integration_alerts.engine import clock
    from integration_alerts.engine.sweeping import sweep as sweep_once

    def milliseconds() -> float:
        began = time.perf_counter()
        sweep_once(clock.now(), lambda: None)
        return (time.perf_counter() - began) * 1000

    for _ in range(5):
        milliseconds()
    return {
        "milliseconds": [
            statistics.median(milliseconds() for _ in range(_CALLS)) for _ in range(runs)
        ]
    }


def advance() -> dict[str, object]:
    """Plan and compose what is due; the CPU seconds that this process took for it."""
    from integration_alerts.engine import advancing, clock

    # Nothing was due long ago, but what is loaded on first use is loaded.
    advancing.plan(_LONG_AGO, "bench.example")
    advancing.compose(_LONG_AGO, "bench.example")
    before = time.process_time()
    advancing.plan(clock.now(), "bench.example")
    advancing.compose(clock.now(), "bench.example")
    return {"cpu_seconds": time.process_time() - before}


def main(name: str, *arguments: str) -> None:
    """Start Django, do it, print what was found."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "integration_alerts.settings")
    import django

    django.setup()
    actions: dict[str, Callable[..., dict[str, object]]] = {"sweep": sweep, "advance": advance}
    print(json.dumps(actions[name](*map(int, arguments))))


if __name__ == "__main__":
    main(*sys.argv[1:])
