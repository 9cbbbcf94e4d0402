"""Activating, resetting and disabling an integration by hand."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from tests.browsing import client_of, page
from tests.world import World

from integration_alerts.alerts import subscribing
from integration_alerts.alerts.models import Subscription
from integration_alerts.directory.models import Company
from integration_alerts.integrations.models import StateChange
from integration_alerts.integrations.reporting import Recorded
from integration_alerts.integrations.reports import Report
from integration_alerts.web.integration_pages import acting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _world_time(monkeypatch: pytest.MonkeyPatch, world: World) -> None:
    """The pages read the clock of the world."""
    monkeypatch.setattr("integration_alerts.engine.clock.now", lambda: world.now)


def path(world: World, integration: str = "ads") -> str:
    return f"integrations/{world.integration(integration).pk}/state"


def act(client: Client, world: World, to: str, **more: Any) -> Any:
    """Confirm what the form says."""
    address = f"/accounts/{world.account().pk}/{path(world)}"
    form = client.get(address, {"to": to}).context
    return client.post(address, {"to": to, "event": form["event"], **more}, follow=True)


@pytest.mark.parametrize(
    ("before", "to", "button"),
    [
        ("failed", "active", "Reset to active"),
        ("pending", "active", "Reset to active"),
        ("disabled", "active", "Activate"),
        ("active", "disabled", "Disable"),
        ("failed", "disabled", "Disable"),
    ],
)
@pytest.mark.parametrize("member", ["ada", "max"])
def test_those_who_may_change_a_state(
    world: World, before: str, to: str, button: str, member: str
) -> None:
    world.report(before)
    world.pass_time(minutes=1)
    client = client_of(world, member)
    assert button in page(client, world, f"{path(world)}?to={to}")
    body = act(client, world, to).content.decode()
    assert f"ads is {to}." in body
    assert world.integration().state == to
    change = StateChange.objects.latest("pk")
    assert (change.actor, change.state, change.event_id[:5]) == (member, to, "page-")


def test_a_new_integration_is_activated(world: World) -> None:
    world.directory({"type": "integration", "account": "acme", "company": "north", "id": "ads"})
    act(client_of(world, "max"), world, "active")
    assert world.integration().state == "active"


def test_the_form_says_what_will_happen(world: World) -> None:
    world.report("failed")
    body = page(client_of(world, "ada"), world, f"{path(world)}?to=disabled")
    assert "Mail about it ends" in body
    assert "Nobody is told about it while it is disabled." in body


def test_queued_mail_ends_with_the_reset(world: World) -> None:
    world.report("failed")
    world.plan()
    world.pass_time(minutes=1)
    act(client_of(world, "ada"), world, "active")
    world.plan()
    assert world.work() == []
    assert {line.split()[1] for line in world.emails()} == {"cancelled"}


def test_reporting_users_see_and_do_not_touch(world: World) -> None:
    world.report("failed")
    client = client_of(world, "rita")
    address = f"/accounts/{world.account().pk}/{path(world)}"
    for response in (
        client.get(address, {"to": "active"}),
        client.post(address, {"to": "active", "event": str(uuid4())}),
    ):
        assert response.status_code == 403
    assert world.integration().state == "failed"


def test_what_a_member_may_not_see_they_cannot_touch(world: World) -> None:
    world.report("failed", company="south", name="Hidden")
    address = f"/accounts/{world.account().pk}/{path(world)}"
    for response in (
        client_of(world, "max").get(address, {"to": "active"}),
        client_of(world, "max").post(address, {"to": "active", "event": str(uuid4())}),
    ):
        assert response.status_code == 404
        assert "Hidden" not in response.content.decode()
    assert world.integration().state == "failed"


def test_activating_without_an_alert_makes_one_and_offers_to_take_it_back(world: World) -> None:
    subscribing.delete(world.subscription("max"))
    world.report("failed")
    world.pass_time(minutes=1)
    client = client_of(world, "max")
    assert "You get an integration alert" in page(client, world, f"{path(world)}?to=active")
    body = act(client, world, "active").content.decode()
    made = world.subscription("max")
    assert "You now have an integration alert for all your companies." in body
    assert f'action="/accounts/{world.account().pk}/alerts/{made.pk}/delete"' in body
    assert (made.covers_all, made.origin) == (True, "automatic")


def test_who_has_an_alert_is_offered_nothing_new(world: World) -> None:
    world.report("failed")
    world.pass_time(minutes=1)
    before = Subscription.objects.count()
    client = client_of(world, "max")
    assert "You get an integration alert" not in page(client, world, f"{path(world)}?to=active")
    assert "You now have" not in act(client, world, "active").content.decode()
    assert Subscription.objects.count() == before


def test_disabling_makes_no_alert(world: World) -> None:
    subscribing.delete(world.subscription("max"))
    world.report("active")
    world.pass_time(minutes=1)
    body = act(client_of(world, "max"), world, "disabled").content.decode()
    assert "You now have" not in body
    assert not Subscription.objects.filter(member=world.member("max")).exists()


def test_a_double_submit_is_one_change(world: World) -> None:
    world.report("failed")
    world.pass_time(minutes=1)
    client, event = client_of(world, "ada"), str(uuid4())
    before = StateChange.objects.count()
    for _ in range(2):
        assert act(client, world, "active", event=event).status_code == 200
    assert StateChange.objects.count() == before + 1


def test_a_form_sent_again_after_the_state_changed_does_nothing(world: World) -> None:
    world.report("failed")
    world.pass_time(minutes=1)
    client, event = client_of(world, "ada"), str(uuid4())
    act(client, world, "active", event=event)
    world.pass_time(minutes=1)
    world.report("failed")
    world.pass_time(minutes=1)
    act(client, world, "active", event=event)
    assert world.integration().state == "failed"


@pytest.mark.parametrize("event", ["", "x", "1" * 200])
def test_a_form_without_its_id_is_shown_again(world: World, event: str) -> None:
    world.report("failed")
    response = act(client_of(world, "ada"), world, "active", event=event)
    assert "Reset to active" in response.content.decode()
    assert world.integration().state == "failed"


@pytest.mark.parametrize("to", ["", "failed", "pending", "odd"])
def test_only_active_and_disabled_can_be_asked_for(world: World, to: str) -> None:
    world.report("failed")
    address = f"/accounts/{world.account().pk}/{path(world)}"
    response = client_of(world, "ada").post(address, {"to": to, "event": str(uuid4())})
    assert response.status_code == 302
    assert world.integration().state == "failed"


def test_what_is_so_already_is_said_to_be_so(world: World) -> None:
    world.report("active")
    world.pass_time(minutes=1)
    client = client_of(world, "ada")
    assert "ads is active already" in page(client, world, f"{path(world)}?to=active")
    assert "ads was active already." in act(client, world, "active").content.decode()


def test_a_later_report_of_the_platform_stands(world: World) -> None:
    later = (world.now + timedelta(minutes=3)).isoformat()
    world.report("failed", occurred_at=later)
    body = act(client_of(world, "ada"), world, "active").content.decode()
    assert "the platform has reported a later state" in body
    assert world.integration().state == "failed"


def test_a_company_that_is_switched_off_is_not_touched(world: World) -> None:
    world.report("failed")
    world.directory(
        {"type": "company", "account": "acme", "id": "north", "name": "North", "active": False}
    )
    client = client_of(world, "ada")
    address = f"/accounts/{world.account().pk}/{path(world)}"
    for response in (
        client.get(address, {"to": "active"}, follow=True),
        client.post(address, {"to": "active", "event": str(uuid4())}, follow=True),
    ):
        assert "its company is switched off" in response.content.decode()
    assert world.integration().state == "failed"


def test_a_company_that_is_switched_off_between_looking_and_acting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.report("failed")
    client, address = client_of(world, "ada"), f"/accounts/{world.account().pk}/{path(world)}"
    record = acting.record_reports

    def too_late(reports: Sequence[Report], now: datetime) -> Recorded:
        Company.objects.filter(external_id="north").update(active=False)
        return record(reports, now)

    monkeypatch.setattr(acting, "record_reports", too_late)
    form = {"to": "active", "event": str(uuid4())}
    body = client.post(address, form, follow=True).content.decode()
    assert "its company is switched off" in body
    assert world.integration().state == "failed"


def test_a_form_that_was_sent_after_the_session_ended_opens_again(world: World) -> None:
    world.report("failed")
    stranger = Client()
    address = f"/accounts/{world.account().pk}/{path(world)}"
    sent = stranger.post(address, {"to": "active", "event": str(uuid4())})
    assert sent.status_code == 302
    assert f"{address}%3Fdraft%3D" in sent.headers["Location"]
