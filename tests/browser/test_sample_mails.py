"""The samples of mails on their pages: looked through, on a phone and in the dark, with a logo."""

import json
from base64 import b64decode

from playwright.sync_api import Page, Route, expect
from tests.browser.conftest import DESK, PHONE, Visit
from tests.browser.site import Site

# One grey pixel.
PICTURE = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)
LOGO = "https://pictures.example/calm/logo.png"
_WIDTH = "() => document.querySelector('iframe.letter').clientWidth"


def test_every_kind_is_one_click_further(site: Site, visit: Visit) -> None:
    page = visit("ines", f"{site.account()}notifications", width=DESK)
    page.get_by_role("link", name="Mails").click()
    page.get_by_role("link", name="Outlook Calendar for North Bakery is not set up yet").click()
    frame = page.frame_locator("iframe.letter")
    expect(frame.get_by_role("heading", name="Outlook Calendar")).to_be_visible()
    page.get_by_role("link", name="Next: Reminder, 7 days").click()
    expect(frame.get_by_text("This is the last reminder")).to_have_count(0)
    expect(frame.get_by_text("is still broken after 7 days").first).to_be_visible()


def test_a_mail_is_seen_as_wide_and_as_dark_as_one_asks(site: Site, visit: Visit) -> None:
    page = visit("ines", f"{site.account()}mails/failed", width=DESK)
    assert (page.evaluate(_WIDTH), _background(page)) == (640, "rgb(246, 247, 249)")
    for choice in ("Phone, 360 px", "Dark"):
        page.get_by_role("link", name=choice).click()
    expect(page.get_by_role("link", name="Dark")).to_have_attribute("aria-current", "true")
    assert (page.evaluate(_WIDTH), _background(page)) == (360, "rgb(20, 23, 28)")


def test_on_a_phone_the_widest_mail_is_as_wide_as_the_page(site: Site, visit: Visit) -> None:
    page = visit("ines", f"{site.account()}mails/several", width=PHONE)
    assert page.evaluate(_WIDTH) <= PHONE
    assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE


def test_the_accounts_logo_is_shown_and_nothing_else_is_loaded(site: Site, visit: Visit) -> None:
    line = {"type": "account", "id": "calm", "brand": {"name": "Calm", "logo_url": LOGO}}
    done = site.installation.command("import", "-", stdin=json.dumps(line))
    assert done.returncode == 0, done.stderr
    page = visit("wanda", f"{site.account('calm')}mails", width=DESK)
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body=PICTURE, content_type="image/png")

    page.route("https://**/*", answer)
    page.goto(f"{site.account('calm')}mails/failed")
    logo = page.frame_locator("iframe.letter").get_by_role("img", name="Calm")
    expect(logo).to_be_visible()
    assert logo.evaluate("picture => picture.complete && picture.naturalWidth") == 1
    assert asked == [LOGO]


def _background(page: Page) -> str:
    body = page.frame_locator("iframe.letter").locator("body")
    return str(body.evaluate("body => getComputedStyle(body).backgroundColor"))
