"""Every page, on a phone and at a desk: nothing for axe to find in light and dark; not heavy."""

import pytest
from tests.browser.checking import check_page
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.pages import PAGES, path_of
from tests.browser.site import Site
from tests.browser.walking import open_panel

HEAVIEST = 150_000  # bytes on first load, all files together


@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_in_order(site: Site, visit: Visit, name: str, width: int) -> None:
    page = visit(PAGES[name][0], path_of(site, name), width=width)
    weights = visit.watched[0].weights()
    assert 0 < sum(weights.values()) < HEAVIEST, weights
    check_page(page)


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_account_panel_is_in_order(site: Site, visit: Visit, width: int) -> None:
    page = visit("ines", site.account(), width=width)
    open_panel(page)
    check_page(page)


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_question_before_deleting_is_in_order(site: Site, visit: Visit, width: int) -> None:
    page = visit("ines", f"{site.account()}alerts", width=width)
    page.get_by_role("button", name="Delete alert for tomas@lantern.example").click()
    check_page(page)
