"""The framework behind `make bench`: what it says is right, whatever the figures are."""

import json
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from benchmarks import accounting, document, results
from benchmarks.__main__ import main
from benchmarks.filling import Layout
from benchmarks.parts import PARTS
from benchmarks.plots import Plot, Point, svg
from benchmarks.table import comparison, figure_of, table
from benchmarks.targets import FIGURES, SCENARIOS, number

MACHINE = {
    "date": "2026-01-31", "revision": "abc1234", "processors": 2, "processor": "a | processor",
    "memory_mb": 16000, "kernel": "6.1", "file_system": "ext2/ext3", "fsync_ms": 0.5,
    "python": "3.11.2", "postgresql": "18.1", "postgresql_settings": {"max_connections": "100"},
}  # fmt: skip


def measured(**figures: list[float]) -> results.Results:
    samples = {key.replace("_", "."): values for key, values in figures.items()}
    return results.merged({}, MACHINE, {"storm": samples}, {})


def test_a_summary_has_median_and_spread() -> None:
    row = results.summary([float(value) for value in range(100, 0, -1)])
    assert row == {"median": 50.5, "min": 1, "max": 100, "p95": 96, "p99": 100, "n": 100}


def test_a_run_of_some_parts_leaves_the_figures_of_the_others() -> None:
    first = measured(storm=[1000.0], start=[2.0])
    second = results.merged(first, MACHINE, {"storm": {"storm": [1500.0]}}, {})
    assert second["figures"]["start"] == first["figures"]["start"]
    assert second["figures"]["storm"]["before"] == {"median": 1000.0, "revision": "abc1234"}


def test_a_part_that_failed_says_so_until_it_is_measured() -> None:
    failed = results.merged({}, MACHINE, {}, {"storm": "too late"})
    assert "storm: not measured: too late" in table(failed, ["storm"])
    assert "Not measured: storm: too late" in document.text(failed, "", "")
    assert results.merged(failed, MACHINE, {"storm": {"storm": [1.0]}}, {})["failures"] == {}


@pytest.mark.parametrize(
    ("key", "before", "now", "said"),
    [
        ("storm", 1000.0, 1500.0, "× 1.50 better"),
        ("storm", 1000.0, 500.0, "× 0.50 worse"),
        ("storm.cpu", 2.0, 1.0, "× 0.50 better"),
        ("start", 2.0, 3.0, "× 1.50 worse"),
        ("start", 2.0, 2.001, "× 1.00"),
    ],
)
def test_a_comparison_knows_which_way_is_better(
    key: str, before: float, now: float, said: str
) -> None:
    row = {"median": now, "before": {"median": before}}
    assert comparison(figure_of(key, "part"), row) == said


@pytest.mark.parametrize(
    ("key", "value", "met"),
    [
        ("storm", 2000.0, True),
        ("storm", 1999.0, False),
        ("storm.cpu", 0.8, True),
        ("storm.cpu", 0.81, False),
        ("late.cpu", 9.0, None),
    ],
)
def test_a_target_is_met_on_the_right_side_of_its_bound(
    key: str, value: float, met: bool | None
) -> None:
    assert FIGURES[key].met(value) is met


def test_every_figure_of_a_target_belongs_to_a_part() -> None:
    wanted = {key for scenario in SCENARIOS for key in scenario.figures}
    assert wanted == {figure.key for figure in FIGURES.values() if figure.bound is not None}
    assert {figure.part for figure in FIGURES.values()} <= set(PARTS)


@pytest.mark.parametrize(
    ("value", "text"),
    [(12345.6, "12,346"), (99.96, "100.0"), (4.711, "4.71"), (0.0812, "0.081"), (40.0, "40")],
)
def test_numbers_have_three_digits_that_mean_something(value: float, text: str) -> None:
    assert number(value) == text


def test_the_document_follows_from_the_results_alone(tmp_path: Path) -> None:
    found = measured(storm=[1.0, 3000.0, 2500.0], sweep_10000=[1.0], sweep_100000=[2.0])
    document.write(found, tmp_path)
    written = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}
    document.write(json.loads(json.dumps(found)), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.*")} == written
    page = (tmp_path / "docs" / "explanation" / "performance.md").read_text()
    assert "2,500 mails/s (1 to 3,000, 3 runs)" in page
    assert "a \\| processor" in page
    assert "scaling-sweep.svg" in page
    assert "scaling-mails.svg" not in page  # nothing was measured for it


def test_a_plot_is_well_formed_and_says_its_numbers() -> None:
    points = [Point(10, 1.5, 1, 2), Point(1000, 3, 2.5, 40)]
    root = ElementTree.fromstring(svg(Plot("<Sweep>", "things & co", "ms", points, target=5)))
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"<Sweep>", "things & co", "ms", "1 k", "target 5"} <= set(texts)


@pytest.mark.parametrize("points", [[Point(1, 0, 0, 0)], [Point(5, 7, 7, 7), Point(6, 0, 0, 0)]])
def test_a_plot_of_little_is_drawn_too(points: list[Point]) -> None:
    ElementTree.fromstring(svg(Plot("title", "x", "y", points)))


def test_an_unknown_part_is_a_friendly_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["storm", "strom"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("benchmarks: no part strom; there are storm, late,")
    assert said.count("\n") == 1


def test_without_smtp_sink_a_line_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("benchmarks.mail_servers._SINK_PLACES", "")
    assert main(["storm"]) == 2
    assert "apt-get install --no-install-recommends postfix" in capsys.readouterr().err


def test_cpu_of_a_tree_counts_a_child_that_has_ended() -> None:
    burn = "import time\nwhile time.process_time() < 0.5: pass"
    parent = (
        "import subprocess, sys, time\n"
        f"subprocess.run([sys.executable, '-c', {burn!r}])\n"
        "print('done', flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert len(accounting.tree([process.pid])) == 1
        used = accounting.cpu_seconds([process.pid])
        assert accounting.proportional_megabytes([process.pid]) > 1
        process.kill()
    assert 0.45 < used < 5


def test_cpu_of_a_tree_counts_what_runs_below() -> None:
    parent = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'input()'])"
    command = [sys.executable, "-c", parent]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
        deadline = time.monotonic() + 10
        while len(accounting.tree([process.pid])) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert process.stdin is not None
        process.stdin.write(b"\n")


def test_a_layout_gives_every_company_one_integration_a_run() -> None:
    layout = Layout(accounts=2, companies=3, integrations=4, companies_per_manager=3)
    first, second = layout.names(1), layout.names(7)
    assert first["company"] == second["company"] == "company-1"
    assert layout.names(6) == {
        "account": "account-2", "company": "company-6", "integration": "integration-6",
    }  # fmt: skip
    assert [layout.address(n) for n in (3, 4)] == [
        "manager-1@mail.example", "manager-2@mail.example",
    ]  # fmt: skip


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    found: dict[str, Any] = measured(storm=[1.0])
    results.save(found, tmp_path / "latest.json")
    assert results.load(tmp_path / "latest.json") == found
