"""A report that comes in again, by whatever way, tells nobody a second time (R2, R7)."""

from pathlib import Path

from tests.acceptance.live import Live
from tests.installation import failed, ndjson, post

TOLD_ONCE = ["ada@acme.example", "max@acme.example"]


def test_the_same_file_reported_twice_gives_no_second_mail(live: Live, tmp_path: Path) -> None:
    file = tmp_path / "reports.ndjson"
    file.write_text(ndjson([failed("file-a"), failed("file-b")]))

    first = live.installation.command("report", str(file))
    second = live.installation.command("report", str(file))
    live.settle()

    assert first.stdout.strip() == "applied 2, unchanged 0, duplicate 0, stale 0, rejected 0"
    assert second.stdout.strip() == "applied 0, unchanged 0, duplicate 2, stale 0, rejected 0"
    assert live.recipients("file-a") == live.recipients("file-b") == TOLD_ONCE


def test_the_same_body_posted_twice_gives_no_second_mail(live: Live) -> None:
    body = ndjson([failed("post-a"), failed("post-b")]).encode()
    url, key = f"{live.address}/api/v1/reports", live.installation.key()

    replies = [post(url, body, key, "application/x-ndjson") for _ in range(2)]
    live.settle()

    assert [[answer["result"] for answer in reply.json] for reply in replies] == [
        ["applied", "applied"],
        ["duplicate", "duplicate"],
    ]
    assert live.recipients("post-a") == live.recipients("post-b") == TOLD_ONCE


def test_what_came_by_the_command_is_a_duplicate_over_http(live: Live) -> None:
    report = failed("both-ways")

    live.installation.command("report", "-", stdin=ndjson([report]))

    assert live.report(report) == ["duplicate"]


def test_an_event_id_within_one_request_counts_once(live: Live) -> None:
    report = failed("one-request")

    assert live.report(report, report) == ["applied", "duplicate"]


def test_an_event_id_of_another_account_is_another_report(live: Live) -> None:
    live.change(
        {"type": "account", "id": "other", "name": "Other"},
        {"type": "company", "account": "other", "id": "north", "name": "North"},
    )
    report = failed("ids-per-account")

    assert live.report(report, {**report, "account": "other"}) == ["applied", "applied"]


def test_the_same_state_again_gives_no_second_mail(live: Live) -> None:
    assert live.report(failed("again"), failed("again")) == ["applied", "unchanged"]
    live.settle()

    assert live.recipients("again") == TOLD_ONCE
