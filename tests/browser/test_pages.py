"""Every page, on a phone and at a desk, light and dark, and zoomed in: in order and not heavy."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from tests.browser.checking import Watched, check_page, check_width
from tests.browser.conftest import DESK, PHONE, Check, Visit, page_of
from tests.browser.pages import PAGES, places
from tests.browser.site import Site
from tests.browser.validating import Validator
from tests.browser.walking import open_panel

HEAVIEST = 150_000  # bytes on first load, all files together
ZOOMED = (DESK // 2, DESK // 4)  # a desk's window at 200 and at 400 % (WCAG 1.4.10)
_POST = """form => {
  const made = document.createElement('form')
  made.method = 'post'
  const token = document.querySelector('[name=csrfmiddlewaretoken]').value
  for (const [name, value] of Object.entries({...form, csrfmiddlewaretoken: token})) {
    const field = document.createElement('input')
    Object.assign(field, {type: 'hidden', name, value})
    made.append(field)
  }
  document.body.append(made)
  made.submit()
}"""


class Readers:
    """A page for each person, which keeps its browser context and loads every file each time."""

    def __init__(self, site: Site, browser: Browser) -> None:
        self._site = site
        self._browser = browser
        self._known: dict[str | None, Watched] = {}

    def open(self, person: str | None, path: str) -> Watched:
        """Go to a page; without a person, as somebody who was never here."""
        if person not in self._known:
            context = self._browser.new_context(base_url=self._site.address)
            self._known[person] = page_of(context, self._site, person)
            session = context.new_cdp_session(self._known[person].page)
            session.send("Network.enable")
            session.send("Network.setCacheDisabled", {"cacheDisabled": True})
        watched = self._known[person]
        if person is None:
            watched.page.context.clear_cookies()
        watched.complaints.clear()
        watched.responses.clear()
        resize(watched.page, DESK)
        watched.page.goto(path)
        return watched

    def close(self) -> None:
        """Close all of them."""
        for watched in self._known.values():
            watched.page.context.close()


@pytest.fixture(scope="module")
def readers(site: Site, browser: Browser) -> Iterator[Readers]:
    """People who look at one page after the other."""
    made = Readers(site, browser)
    yield made
    made.close()


@pytest.fixture(scope="module")
def known(site: Site) -> dict[str, Any]:
    """What the names in the paths stand for."""
    return places(site)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_in_order(
    readers: Readers, html: Validator, known: dict[str, Any], name: str
) -> None:
    case = PAGES[name]
    watched = readers.open(case.person, case.path.format(**known))
    page = watched.page
    weights = watched.weights()
    assert 0 < sum(weights.values()) < HEAVIEST, weights
    for form in case.forms:
        with page.expect_navigation():
            page.evaluate(_POST, {key: value.format(**known) for key, value in form.items()})
    check_page(watched, html)
    resize(page, PHONE)
    check_page(watched, html)
    for width in ZOOMED:
        resize(page, width)
        check_width(page)
    assert not watched.complaints


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_account_panel_is_in_order(site: Site, visit: Visit, check: Check, width: int) -> None:
    page = visit("ines", site.account(), width=width)
    open_panel(page)
    check(page)


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_question_before_deleting_is_in_order(
    site: Site, visit: Visit, check: Check, width: int
) -> None:
    page = visit("ines", f"{site.account()}alerts", width=width)
    page.get_by_role("button", name="Delete alert for tomas@lantern.example").click()
    check(page)


def resize(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
