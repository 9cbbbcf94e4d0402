"""What mails look like: valid, readable in light and dark, on a phone, in the programs people have.

Every golden mail is looked at; what they say is compared in tests/unit/test_golden_mails.py.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page
from tests.browser.checking import LEAST, SCHEMES, check_width, violations
from tests.browser.validating import MISSING, OWN, TOOLS, Validator, validator
from tests.golden_mails import files, letters

WIDTHS = (360, 640)
# The others differ from these in their words alone.
SHAPES = (
    "failed, without a fix link", "last reminder, pending", "works again", "switched off",
    "one cause and others", "several last reminders", "test", "branded", "branded, one cause",
    "hostile, nothing",
)  # fmt: skip
PROGRAMS = (
    "apple-mail.*", "gmail.*", "outlook.*", "yahoo.*", "samsung-email.*", "thunderbird.macos",
    "protonmail.*", "fastmail.*",
)  # fmt: skip
WITHOUT = {
    "color-scheme CSS property": "stays light",
    "color-scheme meta tag": "stays light",
    "@media": "stays light, and has wide margins on a phone",
    "<style> element": "stays light; everything else is inline",
    "<body> element": "the frame inside of it has the same colours",
    "display:none": "the preheader is a line of one pixel",
    "max-height property": "the preheader is hidden by other means",
    "overflow": "the preheader is hidden by other means",
    "border-radius": "square corners",
    "border-spacing": "a gap of two pixels",
    "white-space": "a link may be on two lines",
    "word-break": "a very long word makes the mail wide",
    "text-decoration": "the button's words are underlined",
    "role attribute": "tables are read out as tables",
    "aria-hidden attribute": "signs are read out",
    "lang attribute": "read out in the language of the program",
}
"""What some programs do not know, and how the mail is there without it."""


@pytest.fixture(scope="module")
def mail_html() -> Iterator[Validator]:
    """The validator with the rules for mails."""
    with validator("html-validate-mails.json") as found:
        yield found


def source(name: str) -> str:
    """The HTML part of a golden mail."""
    return next(words for file, words in files(name).items() if file.endswith(".html"))


@pytest.mark.parametrize("name", letters())
def test_a_mail_is_valid_html(name: str, mail_html: Validator) -> None:
    assert mail_html.problems(source(name)) == []


@pytest.mark.parametrize("name", SHAPES)
def test_a_mail_can_be_read_in_light_and_dark(name: str, page: Page) -> None:
    page.set_content(source(name))
    for scheme, rules in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        assert violations(page, rules) == [], scheme


@pytest.mark.parametrize("width", WIDTHS)
def test_no_mail_scrolls_sideways(width: int, page: Page) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for name in letters():
        page.set_content(source(name))
        check_width(page)


def test_the_button_is_large_enough_for_a_thumb(page: Page) -> None:
    page.set_content(source("failed"))
    box = page.get_by_role("link", name="Reconnect it").bounding_box()
    assert box is not None
    assert min(box["width"], box["height"]) >= LEAST


def test_a_mail_asks_the_network_for_nothing_but_the_accounts_logo(page: Page) -> None:
    asked: list[str] = []
    page.route("**/*", lambda route: (asked.append(route.request.url), route.abort()))
    for name in letters():
        page.set_content(source(name))
    assert set(asked) == {"https://lantern.example/logo.png"}


def test_without_images_the_logos_place_has_the_brands_name(page: Page) -> None:
    page.route("**/*", lambda route: route.abort())
    page.set_content(source("branded"))
    assert page.get_by_role("img", name="Lantern Störfall-Dienst").is_visible()


def test_mail_programs_know_what_a_mail_is_made_of() -> None:
    assert (TOOLS / "caniemail").is_dir(), MISSING
    node = Path(sys.executable).with_name("node")
    lines = "".join(f"{json.dumps(source(name))}\n" for name in letters())
    done = subprocess.run(
        [node, OWN / "caniemail.mjs", TOOLS, *PROGRAMS],
        input=lines, capture_output=True, text=True, check=True,
    )  # fmt: skip
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(letters())
    unsupported = {feature for answer in answers for feature in answer}
    assert unsupported <= set(WITHOUT)
