"""`backtest`: what would have been sent, had a history come in live (R3 to R9, R17)."""

from pathlib import Path

import pytest
from tests.acceptance.backtesting import History, Outcome, at, at_days, backtest, json_lines
from tests.installation import DIRECTORY, Installation

ADA, MAX, MIA = "ada@acme.example", "max@acme.example", "mia@acme.example"
STEPS = ["alert", "reminder_7", "reminder_14", "reminder_21"]
PEOPLE = [
    *DIRECTORY,
    {
        "type": "user", "account": "acme", "id": "mia", "email": MIA, "name": "Mia",
        "role": "manager", "companies": ["north"],
    },
    {"type": "account", "id": "lonely", "name": "Lonely"},
    {"type": "company", "account": "lonely", "id": "north", "name": "North"},
]  # fmt: skip
HISTORY = (
    History()
    .add("failed", "failed", 0)
    .add("fixed-in-time", "pending", 0.1)
    .add("pending", "pending", 0.2)
    .add("both", "failed", 0.3)
    .add("nobody-there", "failed", 0.4, account="lonely")
    .add("before-mia", "failed", 0.5)
    .add("by-mia", "pending", 1, actor="mia")
    .add("by-rita", "pending", 1.1, actor="rita")
    .add("both", "pending", 1.3)
    .add("both", "failed", 2.3)
    .add("both", "pending", 3.3)
    .add("after-mia", "failed", 4)
    .add("twice", "failed", 5)
    .add("twice", "active", 6)
    .add("by-mia", "active", 7)
    .add("by-rita", "active", 7.1)
    .add("fixed-in-time", "active", 24)
    .add("twice", "failed", 24 * 40)
)


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return backtest(tmp_path_factory.mktemp("backtest"), PEOPLE, HISTORY.reports)


def test_a_history_without_a_wrong_line_ends_well(outcome: Outcome) -> None:
    assert (outcome.code, outcome.stderr) == (0, "")


def test_a_notice_is_told_with_everything_about_it(outcome: Outcome) -> None:
    assert outcome.notices[0] == {
        "account": "acme", "company": "north", "integration": "failed",
        "incident_opened_at": "2026-01-01T08:00:00Z", "state": "failed",
        "state_since": "2026-01-01T08:00:00Z", "step": "alert",
        "due_at": "2026-01-01T08:00:00Z", "outcome": "sent", "recipients": [ADA, MAX],
    }  # fmt: skip


def test_failed_is_told_at_once_and_after_7_14_and_21_days(outcome: Outcome) -> None:
    dues = at_days(0, 7, 14, 21)

    assert outcome.about("failed", "step", "due_at") == list(zip(STEPS, dues, strict=True))


def test_pending_is_told_after_a_day_and_reminded_7_14_and_21_days_after_its_begin(
    outcome: Outcome,
) -> None:
    dues = [at(0.2 + 24 * days) for days in (1, 7, 14, 21)]

    assert outcome.about("pending", "step", "due_at") == list(zip(STEPS, dues, strict=True))


def test_pending_that_is_finished_within_a_day_is_told_to_nobody(outcome: Outcome) -> None:
    assert outcome.about("fixed-in-time") == []


def test_failed_and_pending_in_turn_are_one_incident_with_a_clock_for_each(
    outcome: Outcome,
) -> None:
    told = outcome.about("both", "state", "step", "due_at", "state_since", "incident_opened_at")

    assert told[:3] == [
        ("failed", "alert", at(0.3), at(0.3), at(0.3)),
        ("pending", "alert", at(27.3), at(3.3), at(0.3)),
        ("pending", "reminder_7", at(3.3 + 24 * 7), at(3.3), at(0.3)),
    ]


def test_a_second_incident_is_told_anew(outcome: Outcome) -> None:
    assert outcome.about("twice", "incident_opened_at", "step") == [
        (at(5), "alert"),
        (at(24 * 40), "alert"),
    ]


def test_a_notice_that_nobody_may_receive_says_so(outcome: Outcome) -> None:
    assert outcome.about("nobody-there", "outcome", "recipients")[0] == ("no_recipient", [])


def test_a_manager_who_activates_an_integration_is_told_from_then_on(outcome: Outcome) -> None:
    assert outcome.about("before-mia", "recipients")[0] == ([ADA, MAX],)
    assert outcome.about("after-mia", "recipients")[0] == ([ADA, MAX, MIA],)
    assert outcome.about("before-mia", "recipients")[1] == ([ADA, MAX, MIA],)


def test_the_notices_are_in_the_order_of_due_integration_and_step(outcome: Outcome) -> None:
    keys = [(each["due_at"], each["integration"], each["step"]) for each in outcome.notices]

    assert keys == sorted(keys)


def test_a_file_in_any_order_is_replayed_in_the_order_of_time(
    outcome: Outcome, tmp_path: Path
) -> None:
    assert backtest(tmp_path, PEOPLE, HISTORY.shuffled()).notices == outcome.notices


def test_until_ends_the_replay_there(outcome: Outcome, tmp_path: Path) -> None:
    until = at(24 * 7)

    ended = backtest(tmp_path, PEOPLE, HISTORY.reports, "--until", until)

    assert ended.notices == [each for each in outcome.notices if each["due_at"] <= until]
    assert ended.notices[-1]["due_at"] == until


def test_until_may_be_after_the_last_report(tmp_path: Path) -> None:
    reports = History().add("failed", "failed", 0).reports

    outcome = backtest(tmp_path, PEOPLE, reports, "--until", at(24 * 30))

    assert outcome.about("failed", "step") == [(step,) for step in STEPS]


def test_wrong_lines_are_told_and_the_others_replayed(tmp_path: Path) -> None:
    reports = History().add("early", "failed", 0).add("late", "failed", 1).reports
    stranger = History().add("strange", "failed", 0.5, account="nobody", id="s").reports
    early, late, strange = json_lines([*reports, *stranger])
    without_zone = early.replace("Z", "").replace("event-0", "event-9")

    outcome = backtest(
        tmp_path, [*PEOPLE, {"type": "boss"}],
        "\n".join([early, "{", strange, "", without_zone, late]),
    )  # fmt: skip

    assert outcome.code == 1
    assert sorted(" ".join(line.split()[:4]) for line in outcome.stderr.splitlines()) == [
        f"directory, line {len(PEOPLE) + 1}: type:",
        "reports, line 2: not",
        "reports, line 3: account:",
        "reports, line 5: occurred_at:",
    ]
    assert [notice["integration"] for notice in outcome.notices] == ["early", "late"]


def test_the_real_data_stay_as_they_are_and_nothing_stays_behind(
    installation: Installation, tmp_path: Path
) -> None:
    history = History().add("failed", "failed", 0).reports

    outcome = backtest(tmp_path, PEOPLE, history, on=installation)

    assert len(outcome.notices) == 1
    assert installation.query("SELECT count(*) FROM integration") == [(0,)]
    assert installation.query(
        "SELECT count(*) FROM pg_database WHERE starts_with(datname, 'integration_alerts_scratch')"
    ) == [(0,)]


def test_a_time_without_zone_is_wrong_usage(tmp_path: Path) -> None:
    outcome = backtest(tmp_path, PEOPLE, [], "--until", "2026-01-01T08:00:00")

    assert outcome.code == 2
    assert "the zone is missing" in outcome.stderr


def test_an_empty_history_has_no_notices(tmp_path: Path) -> None:
    outcome = backtest(tmp_path, PEOPLE, [])

    assert (outcome.code, outcome.notices) == (0, [])
