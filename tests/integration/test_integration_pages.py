"""The page of one integration: how it stands, who is told, what comes next, its story."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from tests.browsing import client_of, page
from tests.world import World

from integration_alerts.alerts import subscribing
from integration_alerts.integrations.models import Integration
from integration_alerts.rules.permissions import Scope

pytestmark = pytest.mark.django_db

ELSEWHERE = (
    {"type": "account", "id": "other", "name": "Other"},
    {"type": "company", "account": "other", "id": "far", "name": "Far"},
    {
        "type": "user", "account": "other", "id": "eve", "email": "eve@other.example",
        "name": "Eve", "role": "administrator",
    },
    {"type": "integration", "account": "other", "company": "far", "id": "secret", "name": "Secret"},
)  # fmt: skip
IVY = {
    "type": "user", "account": "acme", "id": "ivy", "email": "ivy@acme.example",
    "name": "Ivy", "role": "manager", "companies": ["north", "south"],
}  # fmt: skip


@pytest.fixture
def broken(world: World) -> World:
    """North's ads broke a moment ago; Ada and Max were told. South has one of its own."""
    world.directory(*ELSEWHERE)
    world.report("active", "crm", company="south", name="Southern CRM")
    world.report("active", name="Google Ads", provider="google", actor="max")
    world.pass_time(days=2)
    world.report(
        "failed", reason={"code": "expired_login", "message": "Its sign-in has expired."},
        fix_url="https://fix.example/ads",
    )  # fmt: skip
    world.work()
    return world


@pytest.fixture(autouse=True)
def _world_time(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The pages read the clock of the world."""
    world: World = request.getfixturevalue("world")
    monkeypatch.setattr("integration_alerts.engine.clock.now", lambda: world.now)


def of(world: World, external_id: str = "ads") -> str:
    return f"integrations/{world.integration(external_id).pk}"


@pytest.mark.parametrize(
    ("member", "integration", "status"),
    [
        ("ada", "ads", 200),
        ("ada", "crm", 200),
        ("max", "ads", 200),
        ("max", "crm", 404),
        ("rita", "ads", 200),
        ("rita", "crm", 200),
        ("ada", "secret", 404),
        ("ada", "unknown", 404),
    ],
)
def test_an_integration_exists_for_those_who_may_see_its_company(
    broken: World, member: str, integration: str, status: int
) -> None:
    found = Integration.objects.filter(external_id=integration).first()
    address = f"/accounts/{broken.account().pk}/integrations/{found.pk if found else 10**30}"
    response = client_of(broken, member).get(address)
    assert response.status_code == status
    if status == 404:
        for secret in ("Southern CRM", "South", "Secret", "Far"):
            assert secret not in response.content.decode()


def test_the_heading_says_state_reason_and_where_to_fix_it(broken: World) -> None:
    body = page(client_of(broken, "max"), broken, of(broken))
    for words in ("Google Ads", "google", "North", "failed", "Its sign-in has expired.",
                  'href="https://fix.example/ads"', "Reconnect", "noopener"):  # fmt: skip
        assert words in body


def test_an_administrator_reads_who_is_told_and_who_not_and_why(broken: World) -> None:
    broken.directory(IVY)
    body = page(client_of(broken, "ada"), broken, of(broken))
    assert "You <small" in body
    assert "Max <small" in body
    assert "Ivy: the user has no integration alert" in body


def test_an_alert_for_other_companies_is_named_as_the_reason(broken: World) -> None:
    broken.directory(IVY)
    south = Scope(frozenset([broken.company("south").pk]))
    subscribing.create(broken.member("ivy"), south, broken.now)
    body = page(client_of(broken, "max"), broken, of(broken))
    assert "Ivy: the integration alert does not cover this company" in body


def test_a_manager_reads_nothing_of_an_administrator_but_a_number(broken: World) -> None:
    body = page(client_of(broken, "max"), broken, of(broken))
    assert "And 1 other." in body
    assert "1 other mail" in body
    assert "Ada" not in body
    assert "ada@" not in body


def test_a_reporting_user_reads_numbers_alone(broken: World) -> None:
    body = page(client_of(broken, "rita"), broken, of(broken))
    assert "2 people." in body
    assert "2 mails" in body
    for secret in ("Ada", "ada@", "max@", "Create an alert", "Disable"):
        assert secret not in body


@pytest.mark.parametrize(
    ("reader", "actor", "said"),
    [
        ("ada", "sam", "by Stranger Sam"),
        ("max", "sam", "by another user"),
        ("max", "ada", "by Ada"),
        ("rita", "max", "by another user"),
        ("max", "nobody-here", "by nobody-here"),
    ],
)
def test_who_changed_a_state_is_named_to_those_who_may_know_them(
    broken: World, reader: str, actor: str, said: str
) -> None:
    stranger = {"email": "sam@acme.example", "name": "Stranger Sam", "role": "manager"}
    broken.directory({"type": "user", "account": "acme", "id": "sam", **stranger})
    broken.pass_time(minutes=1)
    broken.report("active", actor=actor)
    body = page(client_of(broken, reader), broken, of(broken))
    assert f"Became <strong>active</strong>, {said}" in body
    assert ("Stranger Sam" in body) is ("Stranger Sam" in said)


def test_a_page_warns_where_nobody_would_be_told(broken: World) -> None:
    for name in ("ada", "max"):
        subscribing.delete(broken.subscription(name))
    body = page(client_of(broken, "ada"), broken, of(broken))
    assert "Nobody would be told." in body
    assert "Create an alert" in body


def test_the_story_tells_what_was_reported_and_what_became_of_the_mails(broken: World) -> None:
    body = page(client_of(broken, "ada"), broken, of(broken))
    for words in ("Became <strong>active</strong>, by Max", "Became <strong>failed</strong>",
                  "First mail", "You</a>: sent", "Max</a>: sent"):  # fmt: skip
        assert words in body
    assert body.index("First mail") < body.index("<strong>failed") < body.index("<strong>active")


def test_a_late_report_stands_in_the_story_as_late(broken: World) -> None:
    before = broken.now.isoformat()
    broken.pass_time(hours=3)
    broken.report("active")
    broken.report("failed", occurred_at=before)
    body = page(client_of(broken, "ada"), broken, of(broken))
    assert "Reported late as <strong>failed</strong>; it changed nothing" in body


def test_the_story_says_where_older_history_is_not_kept(world: World) -> None:
    words = "Of what was reported more than 400 days ago, only the latest is kept."
    world.report("active", occurred_at=(world.now - timedelta(days=399)).isoformat())
    assert words not in page(client_of(world, "ada"), world, of(world))
    world.report("active", "old", occurred_at=(world.now - timedelta(days=401)).isoformat())
    assert words in page(client_of(world, "ada"), world, of(world, "old"))


def test_what_was_queued_and_withdrawn_says_why(world: World) -> None:
    world.report("failed")
    world.plan()
    world.report("active")
    world.plan()
    body = page(client_of(world, "ada"), world, of(world))
    assert "withdrawn: the state ended before everybody was told" in body
    assert "cancelled: the integration is no longer in this state" in body


def test_steps_that_were_passed_over_say_so(world: World) -> None:
    world.report("failed")
    world.pass_time(days=8)
    world.work()
    body = page(client_of(world, "ada"), world, of(world))
    assert 'First mail <span class="quiet">(failed)</span>: not sent: a later one was due' in body
    assert "Reminder after 7 days" in body


def test_a_notice_that_nobody_could_get_says_so(world: World) -> None:
    for name in ("ada", "max"):
        subscribing.delete(world.subscription(name))
    world.report("failed")
    world.work()
    assert "nobody was told" in page(client_of(world, "ada"), world, of(world))


def test_what_comes_next_is_said_with_its_time(broken: World) -> None:
    body = page(client_of(broken, "ada"), broken, of(broken))
    assert "Reminder after 7 days, if nothing changes" in body
    assert "11 Mar 2026, 10:00 CET" in body


@pytest.mark.parametrize(
    ("state", "days", "words"),
    [
        ("active", 0, "Nothing: it works."),
        ("disabled", 0, "Nothing: it is disabled."),
        ("pending", 0, "First mail, if nothing changes"),
        ("failed", 22, "Nothing more: the last reminder has been due."),
        ("failed", 15, "Last reminder, after 21 days, if nothing changes"),
    ],
)
def test_what_comes_next(world: World, state: str, days: int, words: str) -> None:
    world.report(state)
    world.pass_time(days=days)
    world.work()
    assert words in page(client_of(world, "ada"), world, of(world))


def test_what_is_due_now_is_being_prepared(world: World) -> None:
    world.report("failed")
    body = page(client_of(world, "ada"), world, of(world))
    assert "A mail about this is being prepared now." in body


def test_nothing_comes_where_the_company_is_switched_off(broken: World) -> None:
    broken.directory(
        {"type": "company", "account": "acme", "id": "north", "name": "North", "active": False}
    )
    body = page(client_of(broken, "ada"), broken, of(broken))
    assert "Nothing: North is switched off." in body
    assert "Disable" not in body


def test_an_integration_without_any_report_has_a_page(world: World) -> None:
    world.directory({"type": "integration", "account": "acme", "company": "north", "id": "fresh"})
    body = page(client_of(world, "ada"), world, of(world, "fresh"))
    assert "Nothing: no report came in yet." in body
    assert "Nothing was reported yet." in body


def test_a_deleted_integration_has_none(broken: World) -> None:
    address = f"/accounts/{broken.account().pk}/{of(broken)}"
    broken.directory(
        {
            "type": "integration", "account": "acme", "company": "north", "id": "ads",
            "deleted": True,
        }
    )  # fmt: skip
    assert client_of(broken, "ada").get(address).status_code == 404


def test_the_bar_is_told_in_words(broken: World) -> None:
    broken.pass_time(days=1, hours=5)
    body = page(client_of(broken, "ada"), broken, of(broken))
    assert body.count("<rect class=") >= 90
    assert "for 1 day 5 hours, 1 time" in body
    assert "for 2 days, 1 time" in body
    assert "style=" not in body


def test_older_entries_follow_page_by_page_without_gaps(world: World) -> None:
    for number in range(40):
        world.report("failed", reason={"message": f"<{number}>"})
        world.pass_time(minutes=1)
        world.report("active")
        world.pass_time(minutes=1)
    client = client_of(world, "ada")
    address = f"/accounts/{world.account().pk}/{of(world)}"
    seen: list[object] = []
    query = ""
    for _ in range(5):
        shown = client.get(address + query).context["timeline"]
        seen += [entry.place for entry in shown.entries]
        query = f"?before={shown.older}"
        if not shown.older:
            break
    assert len(seen) == len(set(seen)) == 80
    assert "&lt;39&gt;" in page(client, world, of(world))


@pytest.mark.parametrize("before", ["x", "1.2.3", "1.0", "9" * 40, "1.1.x"])
def test_an_odd_place_in_the_story_is_the_beginning(broken: World, before: str) -> None:
    assert "Became" in page(client_of(broken, "ada"), broken, f"{of(broken)}?before={before}")


@pytest.mark.parametrize("count", [1, 3, 300])
def test_the_page_costs_the_same_statements_for_any_number_of_entries(
    world: World, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for number in range(2 * count - 1):
        world.report("failed" if number % 2 == 0 else "active", actor="max")
        world.pass_time(minutes=1)
    world.work()
    client, path = client_of(world, "ada"), f"/accounts/{world.account().pk}/{of(world)}"
    client.get(path)
    with django_assert_num_queries(21):
        client.get(path)


def test_strangers_are_sent_to_sign_in(broken: World) -> None:
    address = f"/accounts/{broken.account().pk}/{of(broken)}"
    assert Client().get(address).status_code == 302
    assert client_of(broken, "eve", account="other").get(address).status_code == 404
