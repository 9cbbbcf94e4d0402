"""The pages that show every kind of mail to operators: of any account, and of none."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from tests.pages import account, browser, give_brands, text_of
from tests.world import World

from integration_alerts.configuration import load
from integration_alerts.directory.models import User
from integration_alerts.mail.brand import OUR_COLOUR

pytestmark = pytest.mark.django_db
PARTS = ("", "/failed", "/failed?part=source", "/failed/html", "/failed/source")


@pytest.fixture
def branded(acme: World) -> World:
    """Acme and Globex have brands of their own."""
    give_brands(acme)
    return acme


@pytest.fixture
def operator(db: None) -> Client:
    """A signed-in operator."""
    client = Client()
    client.force_login(User.objects.create_operator("op@platform.example", "a long password"))
    return client


def body(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


@pytest.mark.parametrize("part", PARTS)
def test_operators_see_the_mails_of_any_account_and_of_none(
    branded: World, operator: Client, part: str
) -> None:
    answers = {
        "Acme": body(operator, f"/mails/of/{account()}{part}"),
        "Globex": body(operator, f"/mails/of/{account('globex')}{part}"),
        "": body(operator, f"/mails{part}"),
    }
    for whose, answer in answers.items():
        assert [name for name in ("Acme", "Globex") if name in answer] == [whose] * bool(whose)


def test_operators_pages_lead_to_each_other(branded: World, operator: Client) -> None:
    home = f"/mails/of/{account()}"
    assert f'href="{home}/failed"' in body(operator, home)
    assert f'src="{home}/failed/html?scheme=light"' in body(operator, f"{home}/failed")
    office = body(operator, f"/back-office/directory/account/{account()}/change/")
    assert f'<a href="{home}">How its mails look</a>' in office
    assert '<a href="/mails">Mails</a>' in office


def test_without_an_account_the_grouping_is_that_of_new_ones(
    operator: Client, settings: Settings
) -> None:
    settings.CONFIGURATION = load({"GROUP_WAIT": "10", "GROUP_INTERVAL": "7200"})
    said = text_of(operator.get("/mails"))
    assert "waits 10 seconds for others; later ones go together every 2 hours." in said
    assert "GROUP_WAIT and GROUP_INTERVAL set this for new accounts." in said


@pytest.mark.parametrize("of", [0, 10**30])
def test_an_account_that_does_not_exist_has_no_mails(operator: Client, of: int) -> None:
    assert operator.get(f"/mails/of/{of}").status_code == 404


@pytest.mark.parametrize("home", ["/mails", "/mails/of/{account}"])
@pytest.mark.parametrize("part", PARTS)
def test_nobody_else_opens_the_operators_pages(branded: World, home: str, part: str) -> None:
    path = home.format(account=account()) + part
    assert Client().get(path)["Location"].startswith("/sign-in")
    assert browser("ada").get(path).status_code == 403
    assert b"Acme Works" not in browser("ada").get(path).content


def test_without_an_account_the_brand_is_ours(operator: Client) -> None:
    said = text_of(operator.get("/mails"))
    assert f"none: the name stands there Colour {OUR_COLOUR} Answers go to the sender" in said


@pytest.mark.parametrize(("home", "queries"), [("/mails", 3), ("/mails/of/{account}", 4)])
def test_looking_costs_no_more_than_knowing_who_looks(
    branded: World,
    operator: Client,
    home: str,
    queries: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    path = home.format(account=account())
    with django_assert_num_queries(queries):
        operator.get(path)
