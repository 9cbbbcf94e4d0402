"""The list of integrations: order, pages, filters, what each viewer is told of whom."""

from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from tests.browsing import client_of, page
from tests.world import World

from integration_alerts.alerts import subscribing
from integration_alerts.integrations import listing
from integration_alerts.integrations.listing import Filters, Position
from integration_alerts.integrations.models import Integration
from integration_alerts.integrations.providers import providers
from integration_alerts.rules.states import State

pytestmark = pytest.mark.django_db


@pytest.fixture
def mixed(world: World) -> World:
    """Every state, in both companies, and more names than one viewer may see."""
    for hours, state, name, company in (
        (90, "active", "calendar", "north"),
        (80, "disabled", "webhook", "north"),
        (70, "failed", "old-failure", "north"),
        (60, "pending", "stripe", "south"),
        (50, "failed", "new-failure", "south"),
    ):
        at = world.now - timedelta(hours=hours)
        world.report(state, name, company=company, occurred_at=at.isoformat(), provider=f"p-{name}")
    world.directory(
        {
            "type": "integration", "account": "acme", "company": "north", "id": "fresh",
            "name": "Fresh one",
        }
    )  # fmt: skip
    return world


def names(world: World, member: str, filters: Filters | None = None) -> list[str]:
    companies = None if member == "ada" else [world.company("north").pk]
    rows = listing.listed(world.account().pk, companies, filters or Filters(), 100)
    return [row.name for row in rows]


def test_what_needs_somebody_comes_first_the_newest_change_before_the_older(mixed: World) -> None:
    assert names(mixed, "ada") == [
        "new-failure", "old-failure", "stripe", "Fresh one", "webhook", "calendar",
    ]  # fmt: skip
    assert names(mixed, "max") == ["old-failure", "Fresh one", "webhook", "calendar"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (Filters(state="failed"), ["new-failure", "old-failure"]),
        (Filters(state="pending"), ["stripe"]),
        (Filters(state="never"), ["Fresh one"]),
        (Filters(state="disabled"), ["webhook"]),
        (Filters(state="active"), ["calendar"]),
        (Filters(provider="p-stripe"), ["stripe"]),
        (Filters(text="FAILURE"), ["new-failure", "old-failure"]),
        (Filters(text="south fail"), ["new-failure"]),
        (Filters(text="p-cal"), ["calendar"]),
        (Filters(text="fresh ONE"), ["Fresh one"]),
        (Filters(text="100%"), []),
        (Filters(text="old_failure"), []),
        (Filters(text="\\"), []),
        (Filters(state="failed", text="new"), ["new-failure"]),
    ],
)
def test_filters_narrow(mixed: World, filters: Filters, found: list[str]) -> None:
    assert names(mixed, "ada", filters) == found


def test_a_company_filter_shows_that_company_if_the_viewer_may_see_it(mixed: World) -> None:
    south = Filters(company=mixed.company("south").pk)
    assert names(mixed, "ada", south) == ["new-failure", "stripe"]
    assert names(mixed, "max", south) == []


def test_whoever_sees_many_companies_sees_no_others(
    mixed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "_MANY", 0)
    assert names(mixed, "max") == ["old-failure", "Fresh one", "webhook", "calendar"]
    assert names(mixed, "max", Filters(text="stripe")) == []


def test_search_finds_no_company_that_the_viewer_may_not_see(mixed: World) -> None:
    assert names(mixed, "max", Filters(text="south")) == []


@pytest.mark.parametrize("companies", [None, "few", "many"])
def test_pages_follow_each_other_without_gaps_or_repeats(
    mixed: World, monkeypatch: pytest.MonkeyPatch, companies: str | None
) -> None:
    if companies == "many":
        monkeypatch.setattr(listing, "_MANY", 1)
    account = mixed.account().pk
    ids = companies and [mixed.company("north").pk, mixed.company("south").pk]
    seen: list[str] = []
    after: Position | None = None
    while rows := listing.listed(account, ids, Filters(), 2, after):
        seen += [row.name for row in rows]
        after = listing.read_position(str(rows[-1].position))
    assert seen == names(mixed, "ada")


@pytest.mark.parametrize("text", ["", "1", "x.1", "1.x", "9" * 30 + ".1", "1.-1", "--1.1"])
def test_a_position_that_is_none_is_ignored(mixed: World, text: str) -> None:
    assert listing.read_position(text) is None
    assert "new-failure" in page(client_of(mixed, "ada"), mixed, f"?after={text}")


def test_companies_switched_off_and_deleted_integrations_are_left_out(mixed: World) -> None:
    mixed.directory(
        {"type": "company", "account": "acme", "id": "south", "name": "South", "active": False},
        {
            "type": "integration", "account": "acme", "company": "north", "id": "webhook",
            "deleted": True,
        },
    )  # fmt: skip
    assert names(mixed, "ada") == ["old-failure", "Fresh one", "calendar"]
    assert names(mixed, "max") == ["old-failure", "Fresh one", "calendar"]
    counts = listing.counts(mixed.account().pk, None)
    assert (counts[State.FAILED], counts[State.PENDING], sum(counts.values())) == (1, 0, 3)
    assert providers(mixed.account().pk, [mixed.company("north").pk], 9) == [
        "p-calendar", "p-old-failure",
    ]  # fmt: skip


def test_counts_are_those_of_the_companies_that_may_be_seen(mixed: World) -> None:
    account, north = mixed.account().pk, [mixed.company("north").pk]
    every, some = listing.counts(account, None), listing.counts(account, north)
    assert every == {State.FAILED: 2, State.PENDING: 1, None: 1, State.DISABLED: 1, State.ACTIVE: 1}
    assert some == {State.FAILED: 1, State.PENDING: 0, None: 1, State.DISABLED: 1, State.ACTIVE: 1}


def test_providers_of_companies_out_of_sight_are_not_offered(mixed: World) -> None:
    body = page(client_of(mixed, "max"), mixed)
    assert "p-old-failure" in body
    for secret in ("p-stripe", "p-new-failure", "stripe", "new-failure", "South"):
        assert secret not in body


def test_the_page_answers_what_needs_the_viewer(mixed: World) -> None:
    ada = page(client_of(mixed, "ada"), mixed)
    assert "3 integrations need you: 2 failed, 1 not set up." in ada
    assert "1 integration needs you: 1 failed." in page(client_of(mixed, "max"), mixed)


def test_a_healthy_account_sees_one_calm_sentence(world: World) -> None:
    for number in range(3):
        world.report("active", f"ads-{number}")
    client = client_of(world, "ada")
    body = page(client, world)
    assert "All 3 integrations work." in body
    assert "Show them all" in body
    assert "Show them all" not in page(client, world, "?state=active")


def test_who_will_be_told_names_only_those_whose_alerts_the_viewer_may_see(mixed: World) -> None:
    assert "You and Max" in page(client_of(mixed, "ada"), mixed)
    body = page(client_of(mixed, "max"), mixed)
    assert "You and 1 other" in body
    assert "Ada" not in body
    body = page(client_of(mixed, "rita"), mixed)
    assert "2 people" in body
    assert "Ada" not in body
    assert "Max" not in body


def test_a_row_warns_where_nobody_would_be_told(mixed: World) -> None:
    for name in ("ada", "max"):
        subscribing.delete(mixed.subscription(name))
    assert page(client_of(mixed, "ada"), mixed).count("Create an alert") == 3
    body = page(client_of(mixed, "rita"), mixed)
    assert "Nobody would be told." in body
    assert "Create an alert" not in body


def test_an_account_without_integrations_says_what_comes_first(world: World) -> None:
    body = page(client_of(world, "ada"), world)
    assert "when the platform first reports its state" in body
    assert "Every state" not in body


def test_no_match_offers_to_clear_the_filters(mixed: World) -> None:
    body = page(client_of(mixed, "ada"), mixed, "?q=nothing-like-it")
    assert "No integration matches." in body
    assert "Clear the filters" in body
    assert 'value="nothing-like-it"' in body


@pytest.mark.parametrize(
    "query",
    ["?state=odd", "?company=x", "?company=99999999999999999999", "?q=%00", "?provider=%00&q=%25"],
)
def test_odd_filters_are_harmless(mixed: World, query: str) -> None:
    assert client_of(mixed, "ada").get(home(mixed) + query).status_code == 200


@pytest.mark.parametrize("count", [1, 3, 300])
@pytest.mark.parametrize("member", ["ada", "max", "rita"])
def test_the_list_costs_the_same_statements_for_any_number(
    world: World, django_assert_num_queries: DjangoAssertNumQueries, count: int, member: str
) -> None:
    world.take(*(world.a_report("failed", f"ads-{number}") for number in range(count)))
    client = client_of(world, member)
    address = home(world)
    client.get(address)  # notes the account in the session
    # Whether they have an alert of their own is not asked for Reporting users.
    with django_assert_num_queries(13 if member == "rita" else 14):
        body = client.get(address).content.decode()
    assert body.count('class="target"') == min(count, 50)
    assert ('rel="next"' in body) is (count > 50)


def test_the_next_page_keeps_the_filters_and_leads_back(world: World) -> None:
    world.take(*(world.a_report("failed", f"ads-{number}") for number in range(60)))
    client = client_of(world, "ada")
    response = client.get(home(world), {"state": "failed", "q": ""})
    address = response.context["next"]
    assert address.startswith("?state=failed&after=")
    second = client.get(home(world) + address)
    assert second.content.decode().count('class="target"') == 10
    assert second.context["first"] == "?state=failed"
    assert second.context["next"] == ""


def test_members_of_other_accounts_and_strangers_see_nothing(mixed: World) -> None:
    assert Client().get(home(mixed)).status_code == 302
    mixed.directory(
        {"type": "account", "id": "other", "name": "Other"},
        {
            "type": "user", "account": "other", "id": "eve", "email": "eve@other.example",
            "name": "Eve", "role": "administrator",
        },
    )  # fmt: skip
    response = client_of(mixed, "eve", account="other").get(home(mixed))
    assert response.status_code == 404
    assert "Acme" not in response.content.decode()


def test_a_live_filter_after_the_session_ended_leads_to_the_sign_in_page(mixed: World) -> None:
    response = Client().get(home(mixed), {"q": "ads"}, headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"].startswith("/sign-in/")


def test_the_order_is_a_column_of_the_database(mixed: World) -> None:
    stored = Integration.objects.filter(deleted_at=None).order_by("attention", "pk")
    assert [str(row) for row in stored] == names(mixed, "ada")


def home(world: World) -> str:
    return f"/accounts/{world.account().pk}/"
