"""Words for the steps that people take on the pages."""

from playwright.sync_api import Locator, Page, expect


def open_alerts(page: Page) -> None:
    """Account icon, My Account panel, Notifications, Account Alerts, Integration alerts."""
    open_panel(page)
    panel(page).get_by_role("link", name="Notifications").click()
    menu = page.get_by_role("navigation", name="Notifications")
    expect(menu.get_by_role("heading", name="Account Alerts")).to_be_visible()
    menu.get_by_role("link", name="Integration alerts").click()
    expect(page.get_by_role("heading", name="Integration alerts", level=1)).to_be_visible()


def open_panel(page: Page) -> None:
    """Open My Account by the icon at the top left."""
    icon = page.get_by_role("button", name="Account", exact=True)
    box = icon.bounding_box()
    assert box is not None
    assert box["x"] < 60
    assert box["y"] < 60
    icon.click()
    expect(panel(page)).to_be_visible()


def panel(page: Page) -> Locator:
    """The My Account panel."""
    return page.get_by_role("dialog", name="My Account")


def row(page: Page, address: str) -> Locator:
    """The row of the alert for this address."""
    return page.get_by_role("row").filter(has_text=address)


def bin_of(page: Page, address: str) -> Locator:
    """The bin of the alert for this address."""
    return page.get_by_role("button", name=f"Delete alert for {address}", exact=True)


def choose(page: Page, name: str) -> None:
    """Choose a user in Create Alert, and wait for what depends on it."""
    page.get_by_label("User", exact=True).select_option(label=label_of(page, name))
    if (look := page.get_by_role("button", name="Show this user")).is_visible():
        look.click()  # without JavaScript
    expect(page.get_by_text(f"Mail goes to {name}@lantern.example")).to_be_visible()


def label_of(page: Page, name: str) -> str:
    """The whole text of somebody's entry in the drop-down."""
    option = page.get_by_label("User", exact=True).locator("option").filter(has_text=f"{name}@")
    return option.inner_text()


def press_save(page: Page) -> None:
    """Save the form."""
    page.get_by_role("button", name="Save", exact=True).click()


def delete(page: Page, address: str) -> None:
    """Delete the alert for this address, from the list."""
    bin_of(page, address).click()
    page.get_by_role("button", name="Delete alert", exact=True).filter(visible=True).click()
    expect(page.get_by_role("status")).to_contain_text("will no longer get mail")
    expect(row(page, address)).to_have_count(0)
