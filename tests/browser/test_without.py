"""Without a mouse, and without JavaScript."""

from playwright.sync_api import Page, expect
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.site import Site
from tests.browser.walking import bin_of, choose, open_alerts, press_save, row

JOOST = "joost@lantern.example"


def test_everything_works_without_javascript(site: Site, visit: Visit) -> None:
    page = visit("ines", site.account(), width=PHONE, java_script_enabled=False)
    page.get_by_label("Search").fill("hubspot")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="Meta Ads")).to_have_count(0)
    open_alerts(page)
    page.get_by_role("link", name="Create Alert").click()
    choose(page, "joost")
    press_save(page)
    expect(row(page, JOOST)).to_contain_text("new")
    bin_of(page, JOOST).click()
    page.get_by_role("button", name="Delete alert", exact=True).filter(visible=True).click()
    expect(row(page, JOOST)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(row(page, JOOST)).to_be_visible()


def test_everything_works_with_the_keyboard(site: Site, visit: Visit) -> None:
    page = visit("tomas", site.account(), width=DESK)
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"
    press_on(page, "Account")
    expect(page.get_by_role("dialog", name="My Account")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="My Account")).to_be_hidden()
    assert focused(page) == "Account"
    page.keyboard.press("Enter")
    for step in ("Notifications", "Integration alerts"):
        with page.expect_navigation():
            press_on(page, step)
    press_on(page, "Delete alert for tomas@lantern.example")
    expect(page.get_by_text("You will no longer get mail about 1 company")).to_be_visible()
    with page.expect_navigation():
        press_on(page, "Delete alert")
    expect(page.get_by_role("status")).to_contain_text("You will no longer get mail")
    with page.expect_navigation():
        press_on(page, "Undo")
    expect(page.get_by_role("status")).to_contain_text("is back")


def press_on(page: Page, name: str) -> None:
    """Go to a control with Tab, see that it shows its focus, and press Enter."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if focused(page) == name:
            break
    assert focused(page) == name
    assert page.evaluate(
        "() => { const style = getComputedStyle(document.activeElement);"
        " return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2 }"
    ), f"{name} does not show its focus"
    page.keyboard.press("Enter")


def focused(page: Page) -> str:
    name: str = page.evaluate(
        "() => document.activeElement.getAttribute('aria-label')"
        " ?? document.activeElement.innerText.trim()"
    )
    return name
