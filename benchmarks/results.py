"""Results as JSON: summaries, merged into the latest ones, with what was before.

`results/latest.json` is committed. Every figure says when and of which revision it is, because a
run of some parts leaves the figures of the others as they were.
"""

import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.samples import Samples

LATEST = Path(__file__).parent / "results" / "latest.json"
Results = dict[str, Any]


def summary(values: list[float]) -> dict[str, float]:
    """Median and spread. p95 and p99 are the values that so many of a hundred do not exceed."""
    ordered = sorted(values)

    def reached_by(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    return {
        "median": round(statistics.median(ordered), 6),
        "min": round(ordered[0], 6),
        "max": round(ordered[-1], 6),
        "p95": round(reached_by(0.95), 6),
        "p99": round(reached_by(0.99), 6),
        "n": len(ordered),
    }


def merged(
    before: Results, machine: Mapping[str, Any], measured: Mapping[str, Samples],
    failures: Mapping[str, str],
) -> Results:  # fmt: skip
    """The results so far with those of a run.

    Args:
        before: What `load` gave.
        machine: Facts of this machine; `date` and `revision` are noted with every figure.
        measured: The samples of every part.
        failures: Why a part could not be measured.
    """
    figures = dict(before.get("figures", {}))
    for part, samples in measured.items():
        for key, values in samples.items():
            old = figures.get(key)
            figures[key] = {
                "part": part,
                **summary(values),
                "date": machine["date"],
                "revision": machine["revision"],
                **(
                    {"before": {"median": old["median"], "revision": old["revision"]}}
                    if old
                    else {}
                ),
            }
    still = {part: why for part, why in before.get("failures", {}).items() if part not in measured}
    return {
        "machine": dict(machine),
        "figures": dict(sorted(figures.items())),
        "failures": dict(sorted({**still, **failures}.items())),
    }


def load(path: Path = LATEST) -> Results:
    """The latest results; empty when there are none."""
    if not path.exists():
        return {}
    found: Results = json.loads(path.read_text())
    return found


def save(results: Results, path: Path = LATEST) -> None:
    """Write them, for people to read and compare too."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
