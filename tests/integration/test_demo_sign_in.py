"""Signing in with one click: in the demo, on this machine, and nowhere else."""

import dataclasses
import re
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings
from tests.signing_in import (
    SIGN_IN,
    body,
)
from tests.world import World

from integration_alerts.directory.models import Account, User
from integration_alerts.engine import demo

pytestmark = pytest.mark.django_db
LOCAL = {"HTTP_HOST": "localhost:8000", "REMOTE_ADDR": "127.0.0.1"}


@pytest.fixture
def in_demo(settings: Settings, world: World, tmp_path: Path) -> World:
    """As under `run --demo`."""
    settings.CONFIGURATION = dataclasses.replace(settings.CONFIGURATION, demo=True)
    demo.load(tmp_path, world.now)
    return world


@pytest.mark.usefixtures("in_demo")
def test_the_demo_offers_everybody_and_says_that_it_is_the_demo() -> None:
    for path in ("/", SIGN_IN):
        page = body(Client().get(path, **LOCAL))  # type: ignore[arg-type]
        assert "This is the demo" in page
        assert "Inês Duarte, Administrator" in page
        assert "Ruth Okafor, Reporting" in page
        assert "Operator: inbox and back office" in page


@pytest.mark.usefixtures("in_demo")
def test_one_click_signs_in_and_the_account_can_be_switched() -> None:
    client = Client(**LOCAL)
    response = client.post("/demo/sign-in", {"person": "ines"})
    assert response["Location"] == "/"
    page = body(client.get("/sign-in/security"))
    assert "Alerts of Lantern Agency" in page
    assert "Alerts of Quayside Events" in page


def test_one_click_loses_nothing_that_was_typed(in_demo: World) -> None:
    client = Client(**LOCAL)
    account = Account.objects.get(external_id="lantern").pk
    asked = client.post(f"/accounts/{account}/address", {"email": "new@lantern.example"})
    page = client.get(asked["Location"])
    back = re.search(r'name="next" value="([^"]+)"', body(page).partition("Try it as")[2])
    assert back
    response = client.post("/demo/sign-in", {"person": "ines", "next": back[1]}, follow=True)
    assert 'value="new@lantern.example"' in body(response)


@pytest.mark.usefixtures("in_demo")
def test_a_click_as_somebody_else_takes_nothing_over() -> None:
    client = Client(**LOCAL)
    client.post("/demo/sign-in", {"person": "ines"})
    client.post("/demo/sign-in", {"person": "ruth"})
    page = body(client.get("/sign-in/security"))
    assert "ruth@lantern.example" in page
    assert "ines@lantern.example" not in page
    assert "Quayside Events" not in page


@pytest.mark.usefixtures("in_demo")
def test_the_demo_operator_sees_the_inbox() -> None:
    client = Client(**LOCAL)
    client.post("/demo/sign-in", {"person": "operator", "next": "/inbox"})
    assert User.objects.get(pk=client.session["_auth_user_id"]).is_staff


@pytest.mark.usefixtures("in_demo")
@pytest.mark.parametrize(
    "origin",
    [
        {**LOCAL, "REMOTE_ADDR": "192.0.2.7"},
        {**LOCAL, "HTTP_HOST": "rebound.example"},
        {**LOCAL, "HTTP_X_FORWARDED_FOR": "192.0.2.7"},
    ],
    ids=["another machine", "another name", "proxy"],
)
def test_the_demo_signs_nobody_in_from_elsewhere(origin: dict[str, str]) -> None:
    client = Client(**origin)
    assert client.post("/demo/sign-in", {"person": "ines"}).status_code == 404
    assert "Inês" not in body(client.get(SIGN_IN))
    assert "_auth_user_id" not in client.session


def test_outside_the_demo_nobody_is_signed_in_by_a_click(world: World, tmp_path: Path) -> None:
    demo.load(tmp_path, world.now)
    client = Client(**LOCAL)
    assert client.post("/demo/sign-in", {"person": "ines"}).status_code == 404
    assert "Inês" not in body(client.get(SIGN_IN)) + body(client.get("/"))


@pytest.mark.usefixtures("in_demo")
@pytest.mark.parametrize("person", ["ada", "nobody", ""])
def test_only_people_of_the_demo_can_be_tried(person: str) -> None:
    assert Client(**LOCAL).post("/demo/sign-in", {"person": person}).status_code == 404


@pytest.mark.usefixtures("in_demo")
def test_people_of_the_demo_have_no_password() -> None:
    assert not any(each.has_usable_password() for each in User.objects.all())
