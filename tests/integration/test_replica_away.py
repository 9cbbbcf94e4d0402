"""A replica that is away or none at all: the primary answers. A real one: tests/faults."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from django.test import Client
from tests import pages
from tests.browsing import client_of
from tests.installation import free_port
from tests.world import World

from integration_alerts.engine import database
from integration_alerts.web import replica
from integration_alerts.web.replica import WRITTEN_COOKIE, Place, written_until

pytestmark = pytest.mark.django_db


def _configure(**changed: Any) -> None:
    own = connections["default"].settings_dict
    options = {key: value for key, value in own["OPTIONS"].items() if key != "pool"}
    settings = {**own, "OPTIONS": options, **changed}
    connections.settings[replica.ALIAS] = settings
    # Django's tests allow no alias that was not there before them.
    connections[replica.ALIAS] = DatabaseWrapper(settings, "default")


@pytest.fixture
def configured(acme: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A replica may be set in the test; each begins with a process that knows nothing of it."""
    monkeypatch.setattr(replica, "place", Place())
    yield acme
    if hasattr(connections._connections, replica.ALIAS):  # made by this test
        connections[replica.ALIAS].close()
        del connections[replica.ALIAS]
    connections.settings.pop(replica.ALIAS, None)


def test_a_page_comes_from_the_primary_while_the_replica_cannot_be_reached(
    configured: World, caplog: pytest.LogCaptureFixture
) -> None:
    _configure(HOST="127.0.0.1", PORT=str(free_port()))
    configured.report("failed", name="Google Ads")
    address = f"/accounts/{pages.account()}/"
    ada = client_of(configured, "ada")
    assert "Google Ads" in ada.get(address).content.decode()
    assert "Google Ads" in ada.get(address).content.decode()
    assert caplog.text.count("no page is read from the replica") == 1  # then it is left alone
    with pytest.raises(database.DatabaseError, match="cannot reach the replica"):
        database.check_replica()


def test_a_server_that_takes_changes_is_no_replica(configured: World) -> None:
    _configure()
    assert not replica.place.usable(0)
    with pytest.raises(database.DatabaseError, match="no standby"):
        database.check_replica()


def test_a_page_that_fails_on_the_replica_is_read_from_the_primary(
    configured: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    _configure(NAME="postgres")  # without our tables
    configured.report("failed", name="Google Ads")
    monkeypatch.setattr(replica, "_REACHED", "SELECT 10::numeric ^ 18")
    assert replica.place.usable(0)
    page = client_of(configured, "ada").get(f"/accounts/{pages.account()}/")
    assert "Google Ads" in page.content.decode()
    assert not replica.place.usable(0)  # left alone for a while
    assert connection.settings_dict["NAME"] != "postgres"


def test_a_browser_that_changed_something_is_told_how_far_a_replica_must_be(
    configured: World,
) -> None:
    _configure(HOST="127.0.0.1", PORT=str(free_port()))
    before = written_until()
    ada: Client = client_of(configured, "ada")
    ada.post(f"/accounts/{pages.account()}/alerts/new", {})
    assert int(ada.cookies[WRITTEN_COOKIE].value) >= before
    assert ada.cookies[WRITTEN_COOKIE]["max-age"] == 2 * replica.LONGEST_LAG_SECONDS


@pytest.mark.parametrize("value", ["", "-1", "x", "9" * 30])
def test_a_made_up_place_is_none(configured: World, value: str) -> None:
    _configure(HOST="127.0.0.1", PORT=str(free_port()))
    ada = client_of(configured, "ada")
    ada.cookies[WRITTEN_COOKIE] = value
    assert ada.get(f"/accounts/{pages.account()}/").status_code == 200


def test_without_a_replica_a_browser_is_told_nothing(acme: World) -> None:
    response = client_of(acme, "ada").post(f"/accounts/{pages.account()}/alerts/new", {})
    assert WRITTEN_COOKIE not in response.cookies
