"""`python -m benchmarks [PART ...]`: measure, print a table, keep the results, write the document.

Parts that are not named keep the results that they had. `--document` only writes the document from
the latest results. `--scale 0.02 --no-save` tries a part out.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from benchmarks import document, machine, results
from benchmarks.mail_servers import MissingSinkError, find_sink
from benchmarks.parts import APART, PARTS
from benchmarks.samples import Samples
from benchmarks.sites import Bench
from benchmarks.table import table


def main(arguments: list[str]) -> int:
    """Run the named parts, or all; returns the exit code."""
    options = _parse(arguments)
    if options.document:
        document.write(results.load())
        return 0
    named = options.parts or [*PARTS, *APART]
    if unknown := [name for name in named if name not in PARTS and name not in APART]:
        print(
            f"benchmarks: no part {', '.join(unknown)}; there are {', '.join([*PARTS, *APART])}",
            file=sys.stderr,
        )
        return 2
    apart = [name for name in named if name in APART]
    names = [name for name in named if name in PARTS]
    ended = _run_parts(options, names) if names else 0
    for name in apart:
        print(f"\n{name}: {APART[name]}", flush=True)
        ended |= subprocess.run(
            [sys.executable, "-m", f"benchmarks.{name}"], check=False
        ).returncode
    return ended


def _run_parts(options: argparse.Namespace, names: list[str]) -> int:
    try:
        if any(PARTS[name].sink for name in names):
            find_sink()
    except MissingSinkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    # Whatever ends this also ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="integration-alerts-", dir=options.folder) as place:
        bench = Bench(Path(place), runs=options.runs, scale=options.scale)
        merged = _run(bench, names, results.save if options.save else lambda _: None)
    print(table(merged, names))
    if options.save:
        document.write(merged)
    return 1 if any(name in merged["failures"] for name in names) else 0


def _run(
    bench: Bench, names: list[str], save: Callable[[results.Results], None]
) -> results.Results:
    """Measure the parts one after the other; one that fails leaves the others alone.

    Saves after each: whoever breaks off a long run keeps what was measured.
    """
    before = merged = results.load()
    measured: dict[str, Samples] = {}
    failures: dict[str, str] = {}
    try:
        facts = machine.facts(bench)
        for name in names:
            bench.progress.begin(name)
            began = time.monotonic()
            try:
                measured[name] = PARTS[name].measure(bench)
            except Exception as error:
                failures[name] = str(error).strip().partition("\n")[0] or type(error).__name__
                traceback.print_exc()
            bench.progress.clear()
            merged = results.merged(before, facts, measured, failures)
            save(merged)
            print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    finally:
        bench.close()
    return merged


def _parse(arguments: list[str]) -> argparse.Namespace:
    about = {name: part.about for name, part in PARTS.items()} | APART
    parts = "\n".join(f"  {name:12} {words}" for name, words in about.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure the speed of Integration Alerts.",
        epilog=f"parts:\n{parts}", formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("parts", nargs="*", metavar="PART", help="all of them when none is named")
    parser.add_argument("--document", action="store_true", help="only write the document anew")
    parser.add_argument("--runs", type=int, default=5, help="of each scenario (default 5)")
    parser.add_argument("--scale", type=float, default=1, help="multiplies all sizes (default 1)")
    parser.add_argument("--folder", help="where databases are made: on the disk to be measured")
    parser.add_argument(
        "--no-save", dest="save", action="store_false", help="keep no results, write no document"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
