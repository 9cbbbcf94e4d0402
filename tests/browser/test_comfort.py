"""Calm, large enough, and within reach: motion, zoom, targets, focus, and exact times."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.browser.checking import LEAST, check_width
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.site import Site
from tests.browser.walking import bin_of, open_panel, panel

TOMAS = "tomas@lantern.example"


@pytest.mark.parametrize(("wanted", "lasts"), [("reduce", "0s"), ("no-preference", "0.16s")])
def test_the_panel_moves_only_for_who_likes_it(
    site: Site, visit: Visit, wanted: str, lasts: str
) -> None:
    page = visit("ines", site.account(), reduced_motion=wanted)
    open_panel(page)
    style = "panel => getComputedStyle(panel).transitionDuration"
    assert panel(page).evaluate(style) == lasts


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_bin_is_large_enough_and_at_the_right(site: Site, visit: Visit, width: int) -> None:
    page = visit("ines", f"{site.account()}alerts", width=width)
    box = bin_of(page, TOMAS).bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= LEAST
    whole = page.get_by_role("row").filter(has_text=TOMAS).bounding_box()
    assert whole is not None
    assert whole["x"] + whole["width"] - (box["x"] + box["width"]) < 20


def test_escape_gives_the_focus_back(site: Site, visit: Visit) -> None:
    page = visit("ines", f"{site.account()}alerts")
    icon = page.get_by_role("button", name="Account", exact=True)
    for opener, opened in [
        (icon, panel(page)),
        (bin_of(page, TOMAS), page.get_by_role("dialog", name="Delete the alert for Tomáš Novák")),
    ]:
        opener.focus()
        page.keyboard.press("Enter")
        expect(opened).to_be_visible()
        page.keyboard.press("Tab")
        expect(opener).not_to_be_focused()
        page.keyboard.press("Escape")
        expect(opened).to_be_hidden()
        expect(opener).to_be_focused()


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_exact_time_shows_with_the_focus(site: Site, visit: Visit, width: int) -> None:
    page = visit("ines", f"{site.account()}alerts", width=width)
    link = page.locator("a:has(time)").first
    exact = link.locator(".exact")
    expect(exact).to_be_hidden()
    tab_to(page, link)
    expect(link).to_be_focused()
    expect(exact).to_be_visible()
    assert re.search(r"\d{2}:\d{2}.*UTC", exact.inner_text())
    assert exact.evaluate("element => element.scrollWidth <= element.clientWidth")
    shown, near = exact.bounding_box(), link.bounding_box()
    assert shown is not None
    assert near is not None
    assert shown["x"] >= 0
    assert shown["x"] + shown["width"] <= width
    assert abs(shown["y"] + shown["height"] - near["y"]) < 20
    check_width(page)


def test_the_exact_time_shows_under_the_pointer(site: Site, visit: Visit) -> None:
    page = visit("ines", site.account())
    moment = page.get_by_role("table").locator("time").first
    moment.hover()
    expect(moment.locator(".exact")).to_be_visible()


def tab_to(page: Page, wanted: Locator) -> None:
    for _ in range(60):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
