"""The home page, an integration's page, and the actions on it."""

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import DESK, PHONE, Check, Visit
from tests.browser.site import Site
from tests.browser.walking import open_panel, panel, row

widths = pytest.mark.parametrize("width", [PHONE, DESK])


@widths
def test_the_list_follows_what_is_typed_and_chosen(site: Site, visit: Visit, width: int) -> None:
    page = visit("ines", site.account(), width=width)
    page.get_by_label("Search").press_sequentially("hubspot")
    expect(page.get_by_role("link", name="Meta Ads")).to_have_count(0)
    expect(page.get_by_role("link", name="HubSpot CRM")).to_be_visible()
    expect(page).to_have_url(f"{site.address}{site.account()}?q=hubspot&state=&company=&provider=")
    page.get_by_label("State").select_option("active")
    expect(page.get_by_text("No integration matches.")).to_be_visible()
    page.get_by_role("link", name="Clear the filters").click()
    expect(page.get_by_role("link", name="Meta Ads")).to_be_visible()


def test_what_needs_somebody_comes_first(site: Site, visit: Visit) -> None:
    page = visit("ines", site.account())
    expect(page.get_by_role("row").nth(1)).to_contain_text("failed")
    expect(page.get_by_role("row").last).to_contain_text("active")


@pytest.mark.parametrize(
    ("width", "integration", "activate"),
    [(PHONE, "pine-meta-ads", "Reset to active"), (DESK, "pine-mailchimp", "Activate")],
)
def test_a_manager_who_activates_gets_an_alert_and_may_undo_it(
    site: Site, visit: Visit, check: Check, width: int, integration: str, activate: str
) -> None:
    page = visit("joost", site.integration(integration), width=width)
    page.get_by_role("link", name=activate).click()
    check(page)
    page.get_by_role("button", name=activate).click()
    given = page.get_by_role("status").filter(has_text="You now have an integration alert")
    expect(given).to_be_visible()
    check(page)
    given.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("You will no longer get mail")
    expect(row(page, "joost@lantern.example")).to_have_count(0)
    page.goto(site.integration(integration))
    page.get_by_role("link", name="Disable").click()
    page.get_by_role("button", name="Disable").click()
    expect(page.get_by_role("status")).to_contain_text("is disabled")


def test_a_reporting_user_looks_and_changes_nothing(site: Site, visit: Visit) -> None:
    page = visit("ruth", site.integration("harbour-hubspot"))
    expect(page.get_by_role("heading", name="HubSpot CRM")).to_be_visible()
    expect(page.get_by_role("link", name="Disable")).to_have_count(0)
    response = page.goto(f"{site.integration('harbour-hubspot')}/state?to=disabled")
    assert response is not None
    assert response.status == 403


def test_a_mail_is_reached_from_the_story(site: Site, visit: Visit) -> None:
    page = visit("ines", site.integration("harbour-hubspot"))
    page.get_by_role("link", name="You", exact=True).click()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("HubSpot").first).to_be_visible()
    expect(page.get_by_role("heading", name="Delivery")).to_be_visible()


def test_a_user_of_two_accounts_switches_between_them(site: Site, visit: Visit) -> None:
    page = visit("ines", site.account())
    open_panel(page)
    panel(page).get_by_role("link", name="Quayside Events").click()
    expect(page.get_by_role("link", name="Eventbrite")).to_be_visible()
    expect(page.get_by_role("link", name="HubSpot CRM")).to_have_count(0)
    expect(page.get_by_role("banner")).to_contain_text("Quayside Events")
