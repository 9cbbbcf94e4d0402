"""The way through the alerts, step by step, for each role, on a phone and at a desk."""

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import DESK, PHONE, Check, Visit
from tests.browser.site import Site
from tests.browser.walking import (
    bin_of,
    choose,
    delete,
    open_alerts,
    open_panel,
    panel,
    press_save,
    row,
)

widths = pytest.mark.parametrize("width", [PHONE, DESK])
JOOST = "joost@lantern.example"


@widths
def test_an_administrator_makes_edits_and_deletes_an_alert(
    site: Site, visit: Visit, check: Check, width: int
) -> None:
    page = visit("ines", site.account(), width=width)
    open_alerts(page)
    page.get_by_role("link", name="Create Alert").click()
    choose(page, "joost")
    check(page)
    press_save(page)
    expect(row(page, JOOST)).to_contain_text("new")
    expect(row(page, JOOST)).to_contain_text("All companies")
    expect(row(page, JOOST)).to_contain_text("by Inês Duarte")
    check(page)
    edit(page, "Joost de Wit")
    narrow_to(page, "North Bakery")
    page.get_by_label("Tell them when it is fixed").check()
    press_save(page)
    expect(row(page, JOOST)).to_contain_text("North Bakery")
    edit(page, "Joost de Wit")
    expect(page.get_by_label("Tell them when it is fixed")).to_be_checked()
    pause_and_resume(page)
    page.get_by_role("link", name="Cancel").click()
    delete_and_undo(page, JOOST)
    delete(page, JOOST)


@widths
def test_a_manager_makes_edits_and_deletes_an_alert(
    site: Site, visit: Visit, check: Check, width: int
) -> None:
    page = visit("tomas", site.account(), width=width)
    open_alerts(page)
    page.get_by_role("link", name="Create Alert").click()
    choose(page, "joost")
    expect(page.get_by_label("All companies")).to_be_disabled()
    page.get_by_label("Only these companies").check()
    expect(page.get_by_label("Pine Street Dental")).to_have_count(0)
    press_save(page)
    check(page)
    expect(page.get_by_role("heading", name="Create alert")).to_be_visible()
    page.get_by_label("Only these companies").check()
    page.get_by_label("North Bakery").check()
    press_save(page)
    expect(row(page, JOOST)).to_contain_text("new")
    delete_and_undo(page, JOOST)
    delete(page, JOOST)


@widths
def test_a_reporting_user_has_no_way_there(site: Site, visit: Visit, width: int) -> None:
    page = visit("ruth", site.account(), width=width)
    open_panel(page)
    expect(panel(page).get_by_role("link", name="Notifications")).to_have_count(0)
    for path in ("notifications", "alerts", "alerts/new"):
        response = page.goto(site.account() + path)
        assert response is not None
        assert response.status == 403


def test_the_drop_down_says_why_somebody_cannot_be_chosen(site: Site, visit: Visit) -> None:
    page = visit("ines", f"{site.account()}alerts/new")
    options = page.get_by_label("User", exact=True).locator("option")
    expect(options.filter(has_text="Mei Tanaka")).to_be_disabled()
    expect(options.filter(has_text="Ruth Okafor")).to_be_disabled()


def test_keeping_an_alert_changes_nothing(site: Site, visit: Visit) -> None:
    page = visit("ines", f"{site.account()}alerts")
    bin_of(page, "mei@lantern.example").click()
    text = page.get_by_text("They will no longer get mail about any company.")
    expect(text.filter(visible=True)).to_be_visible()
    page.get_by_role("button", name="Keep it").filter(visible=True).click()
    expect(row(page, "mei@lantern.example")).to_be_visible()


def edit(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=f"Alert for {name}")).to_be_visible()


def narrow_to(page: Page, company: str) -> None:
    page.get_by_label("Only these companies").check()
    page.get_by_label(company).check()


def pause_and_resume(page: Page) -> None:
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("status")).to_contain_text("Paused.")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("status")).to_contain_text("Resumed.")


def delete_and_undo(page: Page, address: str) -> None:
    delete(page, address)
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("is back")
    expect(row(page, address)).to_be_visible()
