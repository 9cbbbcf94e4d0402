"""Status reports become history, standings and incidents (SPEC R1 to R4)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.world import World

from integration_alerts.integrations.models import Incident, Integration, StateChange

pytestmark = pytest.mark.django_db


def results(world: World, *reports: dict[str, Any]) -> list[str]:
    return [taken.outcome.result.value for taken in world.take(*reports)]


def test_the_first_report_makes_the_integration(world: World) -> None:
    assert world.report("active", provider="google", name="Ads", fix_url="https://fix.example/1")
    made = world.integration()
    assert (made.state, made.provider, made.name, made.fix_url) == (
        "active", "google", "Ads", "https://fix.example/1",
    )  # fmt: skip
    assert made.state_since == world.now


def test_absent_fields_stay_as_they_are(world: World) -> None:
    world.report("active", provider="google", name="Ads", connection="c1")
    world.pass_time(hours=1)
    world.report("failed")
    kept = world.integration()
    assert (kept.provider, kept.name, kept.connection) == ("google", "Ads", "c1")


def test_a_reason_belongs_to_its_state(world: World) -> None:
    world.report("failed", reason={"code": "expired_login", "message": "Sign in again"})
    assert world.integration().reason_code == "expired_login"
    world.pass_time(hours=1)
    world.report("failed")
    assert world.integration().reason_message == "Sign in again"
    world.pass_time(hours=1)
    world.report("active")
    assert world.integration().reason_code == ""


def test_the_same_event_twice_is_a_duplicate_without_effect(world: World) -> None:
    report = world.a_report("failed")
    assert results(world, report, report) == ["applied", "duplicate"]
    world.pass_time(hours=1)
    assert results(world, {**report, "state": "active"}) == ["duplicate"]
    assert world.integration().state == "failed"


def test_event_ids_are_unique_within_their_account_only(world: World) -> None:
    world.directory(
        {"type": "account", "id": "other", "name": "Other"},
        {"type": "company", "account": "other", "id": "north", "name": "North"},
    )
    report = world.a_report("failed")
    assert results(world, report, {**report, "account": "other"}) == ["applied", "applied"]


def test_an_older_report_is_stale_and_kept_as_history(world: World) -> None:
    world.report("failed")
    late = world.a_report("active")
    late["occurred_at"] = (world.now - timedelta(hours=1)).isoformat()
    assert results(world, late) == ["stale"]
    assert world.integration().state == "failed"
    assert list(StateChange.objects.order_by("id").values_list("state", "stale")) == [
        ("failed", False), ("active", True),
    ]  # fmt: skip


def test_a_report_older_than_an_unchanged_one_is_stale(world: World) -> None:
    world.report("active")
    before = world.now + timedelta(hours=1)
    world.pass_time(hours=2)
    assert world.report("active") == "unchanged"
    assert world.report("failed", occurred_at=before.isoformat()) == "stale"
    assert world.integration().state == "active"


def test_equal_instants_apply_in_order_of_arrival(world: World) -> None:
    assert results(world, world.a_report("failed"), world.a_report("active")) == [
        "applied", "applied",
    ]  # fmt: skip
    assert world.integration().state == "active"


def test_one_batch_may_open_close_and_open_again(world: World) -> None:
    reports = []
    for state in ("failed", "active", "pending", "failed", "disabled", "failed"):
        reports.append(world.a_report(state))
        world.pass_time(minutes=1)
    assert results(world, *reports) == ["applied"] * 6
    incidents = Incident.objects.order_by("opened_at")
    assert [(row.state, row.closed_at is None) for row in incidents] == [
        ("failed", False),
        ("failed", False),
        ("failed", True),
    ]


def test_a_batch_goes_on_with_the_incident_that_is_open(world: World) -> None:
    world.report("failed")
    opened = Incident.objects.get()
    world.pass_time(hours=1)
    reports = []
    for state in ("pending", "active", "failed"):
        reports.append(world.a_report(state))
        world.pass_time(minutes=1)
    assert results(world, *reports) == ["applied"] * 3
    opened.refresh_from_db()
    assert opened.closed_at is not None
    assert opened.state == "pending"
    assert world.open_incidents() == 1


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"state": "broken"}, "state", "one of pending, active, failed, disabled"),
        ({"state": None}, "state", "got null"),
        ({"occurred_at": "2026-03-02T09:00:00"}, "occurred_at", "timezone"),
        ({"occurred_at": "yesterday"}, "occurred_at", "yesterday"),
        ({"occurred_at": "2026-03-02T09:05:01Z"}, "occurred_at", "in the future"),
        ({"occurred_at": "0001-01-01T00:00:00+10:00"}, "occurred_at", "since 1970"),
        ({"occurred_at": "1969-12-31T23:59:59Z"}, "occurred_at", "since 1970"),
        ({"account": "nobody"}, "account", "no account 'nobody'"),
        ({"company": "nothing"}, "company", "no company 'nothing'"),
        ({"company": "foreign"}, "company", "no company 'foreign' in account 'acme'"),
        ({"integration": ""}, "integration", "length"),
        ({"integration": "a\nb"}, "integration", "line breaks"),
        ({"id": 7}, "id", "expected str, got int"),
        ({"name": "nul\x00"}, "name", "without NUL characters"),
        ({"fix_url": "javascript:alert(1)"}, "fix_url", "https://"),
        ({"reason": "expired"}, "reason", "expected object"),
        ({"reason": {"codes": "x"}}, "reason.codes", "not a known field"),
        ({"occured": "x"}, "occured", "not a known field"),
    ],
)  # fmt: skip
def test_a_wrong_report_is_rejected_alone_with_its_field(
    world: World, change: dict[str, Any], field: str, words: str
) -> None:
    world.directory(
        {"type": "account", "id": "other", "name": "Other"},
        {"type": "company", "account": "other", "id": "foreign", "name": "Foreign"},
    )
    wrong = {**world.a_report("failed", "bad"), **change}
    before, answer, after = world.take(
        world.a_report("failed", "one"), wrong, world.a_report("failed", "two")
    )
    assert answer.outcome.result.value == "rejected"
    assert answer.outcome.field == field
    assert words in answer.outcome.error
    assert before.outcome.result.value == after.outcome.result.value == "applied"
    assert not Integration.objects.filter(external_id="bad").exists()


@pytest.mark.parametrize(
    "name", ["id", "account", "company", "integration", "state", "occurred_at"]
)
def test_a_missing_field_is_named(world: World, name: str) -> None:
    report = world.a_report("failed")
    del report[name]
    (taken,) = world.take(report)
    assert (taken.outcome.field, taken.outcome.error) == (name, "missing")


@pytest.mark.parametrize("value", [None, [], 3, "text", True])
def test_a_line_that_is_no_object_is_rejected(world: World, value: object) -> None:
    (taken,) = world.take(value)
    assert "expected a JSON object" in taken.outcome.error


def test_a_rejected_report_can_be_sent_again_under_its_id(world: World) -> None:
    report = world.a_report("failed")
    assert results(world, {**report, "company": "nothing"}) == ["rejected"]
    assert results(world, report) == ["applied"]


def test_an_integration_of_another_company_is_refused(world: World) -> None:
    world.report("active")
    (taken,) = world.take({**world.a_report("failed"), "company": "south"})
    assert taken.outcome.field == "company"
    assert "another company" in taken.outcome.error


def test_one_batch_makes_an_integration_in_one_company_only(world: World) -> None:
    first, second = world.a_report("failed"), {**world.a_report("failed"), "company": "south"}
    assert results(world, first, second) == ["applied", "rejected"]
    assert results(world, second) == ["rejected"]  # not a duplicate: it had no effect


@pytest.mark.parametrize("state", ["pending", "active"])
def test_an_incident_closed_while_its_report_was_on_the_way_is_no_fault(
    world: World, state: str
) -> None:
    world.report("failed")
    world.pass_time(minutes=1)
    Incident.objects.update(closed_at=world.now)  # as switching its company off does
    assert world.report(state) == "applied"
    assert world.open_incidents() == (state == "pending")


@pytest.mark.parametrize(
    "change",
    [
        {"state": "x` - at `$.id`"},
        {"a`b - at `$.x`": 1},
        {"a\nb": 1},
        {"reason": {"x` - at `$.reason.code`": 1}},
    ],
)
def test_a_value_that_looks_like_our_own_words_is_rejected_alone(
    world: World, change: dict[str, Any]
) -> None:
    wrong, right = world.take({**world.a_report("failed"), **change}, world.a_report("failed", "b"))
    assert wrong.outcome.result.value == "rejected"
    assert "\n" not in wrong.outcome.field + wrong.outcome.error
    assert right.outcome.result.value == "applied"


def test_the_cost_in_statements_does_not_grow_with_the_batch(world: World) -> None:
    def statements(count: int, state: str) -> int:
        reports = [world.a_report(state, f"ads-{number}") for number in range(count)]
        world.pass_time(minutes=1)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            world.take(*reports)
        return len(queries)

    assert statements(3, "failed") == statements(300, "failed")
    assert statements(3, "active") == statements(300, "active")
    assert statements(300, "active") <= 12
