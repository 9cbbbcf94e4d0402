"""What must hold on every page: valid HTML, nothing for axe to find, no sideways scroll."""

from functools import cache
from typing import Any, Literal

from playwright.sync_api import ConsoleMessage, Error, Page, Response
from tests.browser.validating import MISSING, TOOLS, Validator

# WCAG 2.2 AA, and what axe recommends beyond it; what is dark differs in its colours alone.
SCHEMES: dict[Literal["light", "dark"], dict[str, Any]] = {
    "light": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "dark": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]},
}
# In the frames are mails, which cannot run anything, axe neither.
_RUN = """only => axe.run(
  document, {runOnly: only, resultTypes: ['violations'], preload: false, iframes: false})"""
LEAST = 44  # pixels, of everything that is pressed
_SMALL = """least => [...document.querySelectorAll(
    'button, .button, select, input:not([type=hidden], [type=radio], [type=checkbox]), .choice, '
    + 'nav.menu a, #my-account a')]
  .filter(each => each.checkVisibility())
  .map(each => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
  .filter(([, box]) => box.height < least || box.width < least)
  .map(([html, box]) => `${html} ${box.width}x${box.height}`)"""
_STICKING_OUT = """() => {
  const width = document.documentElement.clientWidth
  if (document.documentElement.scrollWidth <= width) return []
  return [...document.querySelectorAll('body *')]
    .filter(element => element.getBoundingClientRect().right > width)
    .map(element => element.outerHTML.slice(0, 90)).slice(0, 8)
}"""


class Watched:
    """A page whose console is read and whose files are weighed."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.responses: list[Response] = []
        page.on("response", self._response)
        page.on("console", self._console)
        page.on("pageerror", self._error)

    def weights(self) -> dict[str, int]:
        """How many bytes came over the wire, by address."""
        sizes = {response.url: response.request.sizes() for response in self.responses}
        return {
            url: size["responseHeadersSize"] + size["responseBodySize"]
            for url, size in sizes.items()
        }

    def source(self) -> str:
        """The page as it was sent."""
        return next(
            response.text()
            for response in reversed(self.responses)
            if response.request.is_navigation_request() and response.frame == self.page.main_frame
        )

    def _response(self, response: Response) -> None:
        self.responses.append(response)

    def _console(self, message: ConsoleMessage) -> None:
        # That a page was answered with 403 or 404 is the test's matter; Chromium says it here too.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _error(self, error: Error) -> None:
        self.complaints.append(str(error))


def check_page(watched: Watched, validator: Validator) -> None:
    """Look at the page as it is now, in light and in dark."""
    page = watched.page
    if "/back-office/" not in page.url:  # the back office is Django's admin, its HTML Django's
        problems = validator.problems(watched.source())
        assert not problems, "\n".join([f"{page.url}:", *problems])
        small = page.evaluate(_SMALL, LEAST)
        assert not small, "\n".join([f"{page.url} has what is hard to press:", *small])
    for scheme, rules in SCHEMES.items():
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = violations(page, rules)
        assert not found, "\n".join([f"{page.url} in {scheme}:", *found])
    check_width(page)


def check_width(page: Page) -> None:
    """See that nothing makes the page wider than the window."""
    wide: list[str] = page.evaluate(_STICKING_OUT)
    size = page.viewport_size
    assert not wide, "\n".join([f"{page.url} scrolls sideways at {size}:", *wide])


def violations(page: Page, rules: dict[str, Any]) -> list[str]:
    """What axe finds: the rule, what it says, and where."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    page.evaluate("document.getAnimations().forEach(animation => animation.finish())")
    found = page.evaluate(_RUN, rules)
    return [_told(violation) for violation in found["violations"]]


@cache
def _axe() -> str:
    source = TOOLS / "axe-core" / "axe.min.js"
    assert source.is_file(), MISSING
    return source.read_text()


def _told(violation: dict[str, Any]) -> str:
    nodes = [f"{node['target']} {node['html'][:120]}" for node in violation["nodes"][:5]]
    return f"{violation['id']}: {violation['help']}: {nodes}"
