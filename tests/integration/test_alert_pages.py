"""The alert pages: the list and Create Alert."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django import DjangoAssertNumQueries
from tests import pages
from tests.pages import (
    account,
    address,
    alert,
    browser,
    chosen,
    company,
    give,
    member,
    save,
    text_of,
)
from tests.world import World

from integration_alerts.alerts import subscribing
from integration_alerts.alerts.models import Subscription
from integration_alerts.rules.permissions import Scope

pytestmark = pytest.mark.django_db


def test_the_list_says_who_is_told_about_what_and_why_not(acme: World) -> None:
    give(acme, "ada")
    give(acme, "max", "north", "south")
    give(acme, "ivy", "harbour")
    acme.directory({"type": "user", "account": "acme", "id": "ivy", "role": "reporting"})
    said = text_of(browser("ada").get(address()))
    assert "Ada you ada@acme.example All companies by the platform receiving none" in said
    assert "Max max@acme.example North Bakery and South Hotel by the platform receiving" in said
    assert "not receiving is a Reporting user now" in said


def test_without_alerts_the_list_says_what_to_do(acme: World) -> None:
    said = text_of(browser("max").get(address()))
    assert "Nobody is told yet." in said
    assert said.count("Create Alert") == 2


def test_a_manager_sees_alerts_within_shared_companies_and_counts_the_rest(acme: World) -> None:
    give(acme, "ada")
    give(acme, "ivy", "south", "harbour")
    give(acme, "sam")
    body = browser("max").get(address()).content.decode()
    assert "South Hotel and 1 other company you have no access to" in body
    for hidden in ("Secret Harbour", "ada@acme", "Sam", "Globex"):
        assert hidden not in body


def test_who_made_an_alert_is_named_to_those_who_share_a_company_with_them(acme: World) -> None:
    harbour = Scope(frozenset({company("harbour").pk}))
    subscribing.create(member("ivy"), harbour, acme.now, actor=member("sam"))
    assert "by Stranger Sam" in text_of(browser("ada").get(address()))
    for page in (address(), address(f"/{alert('ivy').pk}")):
        body = text_of(browser("max").get(page))
        assert "by another user" in body
        assert "Sam" not in body


def test_no_search_finds_an_address_that_the_list_does_not_show(acme: World) -> None:
    give(acme, "ivy", "south")
    looked = browser("max")
    typed = {"look": "1", "find": "ada@acme"}
    assert "Ada: " not in text_of(looked.post(address("/new"), typed))
    assert "Ada: " in text_of(looked.post(address("/new"), typed | {"find": "ad"}))
    assert "Ivy: " in text_of(looked.post(address("/new"), typed | {"find": "ivy@acme"}))


def test_a_search_with_nul_characters_is_a_search_without_them(acme: World) -> None:
    typed = {"look": "1", "recipient": member("ada").pk, "q": "Nor\0th"}
    body = text_of(browser("ada").post(address("/new"), typed))
    assert "North Bakery" in body
    assert "South Hotel" not in body


def test_create_offers_whom_the_viewer_may_choose_and_says_why_not_others(acme: World) -> None:
    give(acme, "pia", "south")
    body = browser("max").get(address("/new")).content.decode()
    options = re.findall(r"<option value=\"\d+\"( disabled| selected)?>([^<]+)</option>", body)
    assert options == [
        ("", "Ivy · ivy@acme.example"),
        (" selected", "Max (you) · max@acme.example"),
        (" disabled", "Ada: Administrator, only Administrators can choose them"),
        (" disabled", "Ann: Administrator, only Administrators can choose them"),
        (" disabled", "Pia: has an alert already"),
        (" disabled", "Rita: Reporting user, gets no alerts"),
    ]
    assert "1 user you share no company with is not in the list" in text_of(
        browser("max").get(address("/new"))
    )


def test_an_alert_is_created_and_its_row_is_marked(acme: World) -> None:
    client = browser("ada")
    response = client.post(
        address("/new"),
        {"recipient": member("max").pk, "scope": "chosen", "company": company("north").pk,
         "tells_recovery": "on"},
    )  # fmt: skip
    made = alert("max")
    assert response["Location"] == address(f"?new={made.pk}#alert-{made.pk}")
    page = client.get(response["Location"])
    assert f'<tr id="alert-{made.pk}" class="has-act new">' in page.content.decode()
    assert "Max now gets mail about 1 company." in text_of(page)
    assert "by Ada" in text_of(page)
    assert (chosen("max"), made.tells_recovery) == ({"north"}, True)


def test_saving_twice_makes_one_alert_and_says_so_once(acme: World) -> None:
    client, form = browser("ada"), {"recipient": member("max").pk, "scope": "all"}
    first = client.post(address("/new"), form)
    second = client.post(address("/new"), form)
    assert first["Location"] == second["Location"]
    assert Subscription.objects.filter(member=member("max")).count() == 1


def test_a_second_alert_is_refused_beside_the_field_and_keeps_what_was_typed(acme: World) -> None:
    give(acme, "max", "north")
    response = browser("ada").post(
        address("/new"),
        {"recipient": member("max").pk, "scope": "chosen", "company": company("south").pk},
    )
    assert "Max: has an alert already. Choose another user." in text_of(response)
    assert chosen("max") == {"north"}


def test_a_recipient_demoted_while_the_form_was_open_is_refused(acme: World) -> None:
    client = browser("ada")
    assert "max@acme.example" in client.get(address("/new")).content.decode()
    acme.directory({"type": "user", "account": "acme", "id": "max", "role": "reporting"})
    said = save(client, "/new", recipient=member("max").pk, scope="all")
    assert "Max: Reporting user, gets no alerts. Choose another user." in said
    assert not Subscription.objects.filter(member=member("max")).exists()


@pytest.mark.parametrize(
    ("recipient", "scope", "companies", "problem"),
    [
        ("", "all", (), "Choose a user from the list."),
        ("gus", "all", (), "Choose a user from the list."),
        ("max", "", (), "Choose all companies, or single ones."),
        ("max", "chosen", (), "Choose at least one company, or all companies."),
        ("max", "chosen", ("works",), "One of the companies is no longer there."),
        ("max", "chosen", ("harbour",), "One of the companies is no longer there."),
    ],
)
def test_a_wrong_form_is_told_beside_its_field(
    acme: World, recipient: str, scope: str, companies: tuple[str, ...], problem: str
) -> None:
    ids = [company(name).pk for name in companies]
    form = {"recipient": member(recipient).pk if recipient else "", "scope": scope, "company": ids}
    said = save(browser("ada"), "/new", **form)
    assert problem in said
    assert "everything you typed is kept" in said
    assert "Globex Hidden Works" not in said
    assert Subscription.objects.filter(account=account()).count() == 0


def test_looking_for_a_company_saves_nothing_and_keeps_the_chosen_ones(acme: World) -> None:
    response = browser("ada").post(
        address("/new"),
        {"recipient": member("max").pk, "scope": "chosen", "company": company("north").pk,
         "q": "hot", "look": "1"},
    )  # fmt: skip
    boxes = re.findall(
        r'name="company" value="\d+"( checked)?> ([^<]+)</label>', response.content.decode()
    )
    assert boxes == [("", "South Hotel"), (" checked", "North Bakery")]
    assert not Subscription.objects.filter(account=account()).exists()


def test_a_manager_creates_for_another_only_in_shared_companies(acme: World) -> None:
    client = browser("max")
    page = client.post(address("/new"), {"recipient": member("ivy").pk, "look": "1"})
    assert "Secret Harbour" not in page.content.decode()
    assert "For another Manager you can choose only" in text_of(page)
    said = save(client, "/new", recipient=member("ivy").pk, scope="all")
    assert "not all companies" in said
    save(client, "/new", recipient=member("ivy").pk, scope="chosen", company=company("south").pk)
    assert chosen("ivy") == {"south"}


def test_what_was_typed_survives_the_end_of_the_session(acme: World) -> None:
    client = browser("ada")
    client.session.flush()
    form = {"recipient": member("ivy").pk, "scope": "chosen", "company": company("harbour").pk}
    asked = client.post(address("/new"), form)
    assert asked.status_code == 302
    client.force_login(member("ada").user)  # type: ignore[arg-type]
    back = parse_qs(urlsplit(asked["Location"]).query)["next"][0]
    page = client.get(back)
    assert "You were signed out before this was done." in text_of(page)
    assert re.search(rf'value="{company("harbour").pk}" checked', page.content.decode())
    assert not Subscription.objects.filter(account=account()).exists()


@pytest.mark.parametrize("rows", [1, 3, 300])
def test_the_list_asks_the_database_as_often_for_many_alerts(
    acme: World, rows: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(rows):
        name = f"m{number:03}"
        acme.directory(pages.user(name, "manager", "north"))
        give(acme, name, "north")
    client = browser("ada")
    client.get(address())
    with django_assert_num_queries(13):
        page = client.get(address())
    assert page.content.decode().count("<tr id=") == min(rows, 50)
