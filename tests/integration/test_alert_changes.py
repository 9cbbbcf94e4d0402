"""Changing alerts on their pages: editing, pausing, deleting, and taking a deletion back."""

import re
from datetime import timedelta

import pytest
from tests.pages import address, alert, browser, chosen, company, give, member, save, text_of
from tests.world import World

from integration_alerts.alerts.models import Subscription
from integration_alerts.alerts.subscribing import unsubscribe
from integration_alerts.web.alert_pages import undoing

pytestmark = pytest.mark.django_db


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
