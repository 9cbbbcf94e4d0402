"""A wrong report is told with its place and field, and rejects itself only (SPEC section 4)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.acceptance.live import Live
from tests.installation import failed, ndjson, post


def _without(field: str) -> dict[str, Any]:
    return {name: value for name, value in failed().items() if name != field}


def _at(moment: str) -> dict[str, Any]:
    return {**failed(), "occurred_at": moment}


def _in(minutes: float) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


WRONG = {
    "unknown state": (
        {**failed(), "state": "broken"},
        "state: expected one of pending, active, failed, disabled",
    ),
    "no id": (_without("id"), "id: missing"),
    "no account": (_without("account"), "account: missing"),
    "no company": (_without("company"), "company: missing"),
    "no integration": (_without("integration"), "integration: missing"),
    "no state": (_without("state"), "state: missing"),
    "no time": (_without("occurred_at"), "occurred_at: missing"),
    "time without zone": (_at("2026-01-31T08:00:00"), "occurred_at: "),
    "time that is none": (_at("yesterday"), "occurred_at: "),
    "time before 1970": (_at("1969-12-31T23:59:59Z"), "occurred_at: expected a time since 1970"),
    "time of year 0": (_at("0000-01-01T00:00:00Z"), "occurred_at: "),
    "future": (_at(_in(60)), "occurred_at: more than 5 minutes in the future"),
    "unknown account": (failed(account="nobody"), "account: no account 'nobody'"),
    "unknown company": (failed(company="east"), "company: no company 'east' in account 'acme'"),
    "company of another account": (failed(company="theirs"), "company: no company 'theirs'"),
    "a misspelt field": (failed(occured_at="now"), "occured_at: not a known field"),
    "a number as id": ({**failed(), "id": 7}, "id: expected str"),
    "an empty id": ({**failed(), "id": ""}, "id: "),
    "a line break in an id": ({**failed(), "integration": "ads\n2"}, "integration: "),
    "a NUL in a text": (failed(name="a\x00b"), "name: "),
    "a script as link": (failed(fix_url="javascript:alert(1)"), "fix_url: "),
    "a reason that is a text": (failed(reason="broken"), "reason: expected object"),
    "a wrong field in the reason": (failed(reason={"code": 7}), "reason.code: expected str"),
    "not an object": ("failed", "expected a JSON object, got a string"),
    "null": (None, "expected a JSON object, got null"),
}


@pytest.fixture(scope="module", autouse=True)
def another_account(live: Live) -> None:
    live.change(
        {"type": "account", "id": "other", "name": "Other"},
        {"type": "company", "account": "other", "id": "theirs", "name": "Theirs"},
    )


@pytest.mark.parametrize(("wrong", "error"), WRONG.values(), ids=list(WRONG))
def test_it_is_rejected_by_item_and_field_between_its_neighbours(
    live: Live, wrong: Any, error: str
) -> None:
    reply = live.installation.post(live.address, "reports", [failed("ok"), wrong, failed("ok")])

    before, rejected, after = reply.json
    assert reply.status == 200
    assert rejected["result"] == "rejected"
    assert rejected["error"].removeprefix("item 2").lstrip(",: ").startswith(error)
    assert {before["result"], after["result"]} <= {"applied", "unchanged"}


def test_a_line_that_is_not_json_is_rejected_by_its_number_between_its_neighbours(
    live: Live,
) -> None:
    lines = [*ndjson([failed("line-1"), failed("line-2")]).splitlines(), '{"id": "x",', "", "[1"]
    lines += ndjson([failed("line-6")]).splitlines()

    reply = _post_lines(live, "\n".join(lines))

    assert [answer["result"] for answer in reply] == [
        "applied", "applied", "rejected", "rejected", "applied",
    ]  # fmt: skip
    assert reply[2]["error"].startswith("line 3: not valid JSON (")
    assert reply[3]["error"].startswith("line 5: not valid JSON (")


def test_a_line_that_is_not_utf8_is_rejected_alone(live: Live) -> None:
    url, key = f"{live.address}/api/v1/reports", live.installation.key()
    body = b'{"id": "\xff"}\n' + ndjson([failed("utf-8")]).encode()

    reply = post(url, body, key, "application/x-ndjson")

    assert [answer["result"] for answer in reply.json] == ["rejected", "applied"]


def test_a_clock_that_is_4_minutes_ahead_is_fine(live: Live) -> None:
    assert live.report(_at(_in(4)) | {"integration": "ahead"}) == ["applied"]


def test_a_clock_that_is_6_minutes_ahead_is_not(live: Live) -> None:
    assert live.report(_at(_in(6))) == ["rejected"]


def test_an_integration_of_another_company_is_not_moved_by_a_report(live: Live) -> None:
    live.report(failed("settled"))

    reply = live.installation.post(live.address, "reports", [failed("settled", company="south")])

    assert reply.json[0]["error"].startswith(
        "item 1, company: integration 'settled' belongs to another company"
    )


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (
            {"type": "user", "id": "eve", "email": "eve@acme.example\nBcc: all@acme.example"},
            "line 2, email: expected one e-mail address, got 'eve@acme.example\\nBcc: all@acme",
        ),
        ({"type": "user", "id": "eve", "role": "boss"}, "line 2, role: expected one of admin"),
        ({"type": "user", "id": "eve"}, "line 2, email: missing"),
        ({"type": "boss"}, "line 2, type: got 'boss'; expected one of account, company, user"),
        ({"id": "eve"}, "line 2, type: missing; expected one of account, company, user"),
        ({"type": "user", "id": "max", "companies": ["east"]}, "line 2, companies: no company"),
        ({"type": "user", "id": "max", "companies": ["theirs"]}, "line 2, companies: no company"),
        (
            {"type": "subscription", "user": "rita", "companies": "all"},
            "line 2, user: Reporting users cannot have an integration alert",
        ),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_a_wrong_directory_line_is_told_by_its_number_and_field(
    live: Live, line: dict[str, Any], error: str
) -> None:
    company = {"type": "company", "account": "acme", "id": "north", "name": "North"}
    url, key = f"{live.address}/api/v1/directory", live.installation.key()

    body = ndjson([company, {"account": "acme", **line}, company]).encode()
    answers = post(url, body, key, "application/x-ndjson").json

    assert [answer["result"] for answer in answers] == ["applied", "rejected", "applied"]
    assert answers[1]["error"].startswith(error)


def _post_lines(live: Live, lines: str) -> Any:
    url, key = f"{live.address}/api/v1/reports", live.installation.key()
    reply = post(url, lines.encode(), key, "application/x-ndjson")
    assert reply.status == 200, reply.body
    return reply.json
