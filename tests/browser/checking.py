"""What must hold on every page: nothing for axe to find or on the console, no sideways scroll."""

from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Error, Page, Response

TOOLS = Path(__file__).parents[2] / ".venv" / "browser" / "node_modules"
MISSING = "axe and html-validate are not installed: run `make .venv/.browser`"
# WCAG 2.2 AA, and what axe recommends beyond it.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES = ("light", "dark")
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

    def _response(self, response: Response) -> None:
        self.responses.append(response)

    def _console(self, message: ConsoleMessage) -> None:
        # That a page was answered with 403 or 404 is the test's matter; Chromium says it here too.
        if message.type in {"error", "warning"} and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _error(self, error: Error) -> None:
        self.complaints.append(str(error))


def check_page(page: Page) -> None:
    """Look at the page as it is now, in light and in dark."""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = violations(page)
        assert not found, "\n".join([f"{page.url} in {scheme}:", *found])
    wide = sticking_out(page)
    assert not wide, "\n".join([f"{page.url} scrolls sideways:", *wide])


def violations(page: Page) -> list[str]:
    """What axe finds: the rule, what it says, and where."""
    page.evaluate(_axe())
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations'], preload: false})",
        TAGS,
    )
    return [_told(violation) for violation in found["violations"]]


def sticking_out(page: Page) -> list[str]:
    """What makes the page wider than the window."""
    found: list[str] = page.evaluate(_STICKING_OUT)
    return found


@cache
def _axe() -> str:
    source = TOOLS / "axe-core" / "axe.min.js"
    assert source.is_file(), MISSING
    return source.read_text()


def _told(violation: dict[str, Any]) -> str:
    nodes = [f"{node['target']} {node['html'][:120]}" for node in violation["nodes"][:5]]
    return f"{violation['id']}: {violation['help']}: {nodes}"
