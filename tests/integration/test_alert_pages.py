"""The alert pages: the list, Create Alert, Edit, pausing, deleting and taking it back."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from tests import pages
from tests.pages import account, alert, browser, company, give, member, text_of
from tests.world import World

from integration_alerts.alerts.models import Subscription
from integration_alerts.alerts.subscribing import scope_of, unsubscribe
from integration_alerts.web.alert_pages import undoing

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(db: None) -> World:
    """Acme and Globex."""
    return World(pages.DIRECTORY)


COMPANIES = ("north", "south", "harbour")


def address(tail: str = "", *, of: str = "acme") -> str:
    """An address of the alert pages."""
    return f"/accounts/{account(of)}/alerts{tail}"


def save(client: Client, tail: str, **fields: object) -> str:
    """Post a form and follow; returns what the page then says."""
    response = client.post(address(tail), fields, follow=True)
    assert response.status_code == 200, response.status_code
    return text_of(response)


def chosen(user: str) -> set[str] | None:
    """The companies of an alert by their ids; None: all."""
    found = scope_of(alert(user)).chosen
    return None if found is None else {name for name in COMPANIES if company(name).pk in found}


def test_the_list_says_who_is_told_about_what_and_why_not(acme: World) -> None:
    give(acme, "ada")
    give(acme, "max", "north", "south")
    give(acme, "ivy", "harbour")
    acme.directory({"type": "user", "account": "acme", "id": "ivy", "role": "reporting"})
    said = text_of(browser("ada").get(address()))
    assert "Ada you ada@acme.example All companies by the platform receiving none yet" in said
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
    assert boxes == [(" checked", "North Bakery"), ("", "South Hotel")]
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


def test_an_edit_by_a_manager_changes_shared_companies_and_shows_no_others(acme: World) -> None:
    given = give(acme, "ivy", "south", "harbour")
    client = browser("max")
    page = client.get(address(f"/{given.pk}"))
    assert "Secret Harbour" not in page.content.decode()
    assert "and 1 other company you have no access to. It stays in the alert." in text_of(page)
    save(client, f"/{given.pk}", scope="chosen", company=[])
    assert chosen("ivy") == {"harbour"}


def test_an_edit_changes_scope_and_recovery(acme: World) -> None:
    given = give(acme, "max", "north")
    client = browser("max")
    said = save(client, f"/{given.pk}", scope="chosen", company=company("south").pk,
                tells_recovery="on")  # fmt: skip
    assert "Saved the alert for Max." in said
    assert (chosen("max"), alert("max").tells_recovery) == ({"south"}, True)
    save(client, f"/{given.pk}", scope="all")
    assert (chosen("max"), alert("max").tells_recovery) == (None, False)


def test_all_companies_of_another_manager_stay_as_they_are(acme: World) -> None:
    """Pia has nothing that Max has not: he may opt her in without narrowing her alert."""
    given = give(acme, "pia")
    save(browser("max"), f"/{given.pk}", scope="all", tells_recovery="on")
    assert (chosen("pia"), alert("pia").tells_recovery) == (None, True)


def test_pause_and_resume(acme: World) -> None:
    given = give(acme, "max")
    client = browser("max")
    assert "Paused. You will get no mail until it is resumed." in save(client, f"/{given.pk}/pause")
    assert alert("max").paused_at is not None
    assert "paused" in text_of(client.get(address()))
    save(client, f"/{given.pk}/resume")
    assert alert("max").paused_at is None


def test_after_an_unsubscribe_link_only_the_recipient_resumes(acme: World) -> None:
    given = give(acme, "max")
    unsubscribe(given, acme.now)
    said = save(browser("ada"), f"/{given.pk}/resume")
    assert "Only they can resume this alert." in said
    assert alert("max").paused_at is not None
    save(browser("max"), f"/{given.pk}/resume")
    assert alert("max").paused_at is None


def test_a_deletion_is_taken_back_as_it_was(acme: World) -> None:
    given = give(acme, "max", "north", "south")
    client = browser("ada")
    page = client.post(address(f"/{given.pk}/delete"), follow=True)
    assert "Max will no longer get mail about 2 companies." in text_of(page)
    assert not Subscription.objects.filter(member=member("max")).exists()
    (undo,) = re.findall(r'action="(/accounts/\d+/alerts/undo/\w+)"', page.content.decode())
    back = client.post(undo, follow=True)
    assert "The alert for Max is back, as it was." in text_of(back)
    assert chosen("max") == {"north", "south"}
    assert alert("max").origin == "platform"
    assert "can no longer be undone" in text_of(client.post(undo, follow=True))


def test_an_undo_belongs_to_whoever_deleted(acme: World) -> None:
    given = give(acme, "max")
    page = browser("ada").post(address(f"/{given.pk}/delete"), follow=True)
    (undo,) = re.findall(r'action="(/accounts/\d+/alerts/undo/\w+)"', page.content.decode())
    assert "can no longer be undone" in text_of(browser("ann").post(undo, follow=True))
    assert not Subscription.objects.filter(member=member("max")).exists()


def test_a_deletion_is_not_taken_back_over_a_newer_alert(acme: World) -> None:
    given = give(acme, "max", "north")
    client = browser("ada")
    page = client.post(address(f"/{given.pk}/delete"), follow=True)
    (undo,) = re.findall(r'action="(/accounts/\d+/alerts/undo/\w+)"', page.content.decode())
    give(acme, "max", "south")
    assert "already has an integration alert" in text_of(client.post(undo, follow=True))
    assert chosen("max") == {"south"}


def test_an_undo_expires(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    given = give(acme, "max")
    client = browser("ada")
    page = client.post(address(f"/{given.pk}/delete"), follow=True)
    (undo,) = re.findall(r'action="(/accounts/\d+/alerts/undo/\w+)"', page.content.decode())
    monkeypatch.setattr(undoing, "UNDOABLE_FOR", timedelta(0))
    assert "can no longer be undone" in text_of(client.post(undo, follow=True))


def test_two_tabs_that_delete_the_same_alert(acme: World) -> None:
    given = give(acme, "max")
    client = browser("ada")
    client.post(address(f"/{given.pk}/delete"))
    second = client.post(address(f"/{given.pk}/delete"), follow=True)
    assert second.status_code == 200
    assert "This alert was deleted already." in text_of(second)
    assert browser("ann").post(address(f"/{given.pk}/delete")).status_code == 404


def test_a_bin_that_may_not_be_used_says_why(acme: World) -> None:
    given = give(acme, "ivy", "south", "harbour")
    client = browser("max")
    body = client.get(address()).content.decode()
    assert 'aria-disabled="true"' in body
    assert "This alert covers companies that you have no access to." in body
    said = save(client, f"/{given.pk}/delete")
    assert "This alert covers companies that you have no access to." in said
    assert alert("ivy").pk == given.pk


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
    with django_assert_num_queries(12):
        page = client.get(address())
    assert page.content.decode().count("<tr id=") == min(rows, 50)
