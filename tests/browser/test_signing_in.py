"""Signing in with a password, where one wanted to go, and out."""

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import DESK, PHONE, Check, Visit
from tests.browser.prepare import PASSWORD
from tests.browser.site import Site
from tests.browser.walking import open_panel, panel


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("javascript", [True, False], ids=["with", "without"])
def test_signing_in_leads_on_and_signing_out_ends_it(
    site: Site, visit: Visit, check: Check, width: int, javascript: bool
) -> None:
    page = visit(None, f"{site.account()}alerts", width=width, java_script_enabled=javascript)
    page.get_by_label("E-mail").or_(page.get_by_label("Email")).fill("mei@lantern.example")
    page.get_by_label("Password").fill(f"not {PASSWORD}")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    if javascript:
        check(page)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Integration alerts", level=1)).to_be_visible()
    open_panel(page)
    panel(page).get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Account: sign in")).to_be_visible()
    page.goto(f"{site.account()}alerts")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
