"""Fixtures of the browser tests: Debian's Chromium, a site for each module, people at it."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest
from playwright.sync_api import BrowserContext, Page
from pytest_playwright.pytest_playwright import CreateContextCallback
from tests.browser.checking import Watched, check_page
from tests.browser.site import Prepared, Site, prepare, serve
from tests.browser.validating import Validator, validator

NO_BROWSER = "the browser tests need Chromium: `apt-get install chromium`, then `make test` again"
PHONE, DESK = 360, 1280
Check = Callable[[Page], None]


class Visit(Protocol):
    """Opens a page as somebody."""

    watched: list[Watched]

    def __call__(
        self, person: str | None, path: str, *, width: int = ..., **options: Any
    ) -> Page: ...


@pytest.fixture(scope="session")
def base_url() -> str:
    """Empty: each module has a site of its own."""
    return ""


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium; inside a container and as root there is no sandbox and no GPU."""
    chromium = shutil.which("chromium")
    assert chromium is not None, NO_BROWSER
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    return {**browser_type_launch_args, "executable_path": chromium, "args": arguments}


@pytest.fixture(scope="session")
def prepared(
    migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prepared]:
    """The demo's people and their story, in a database to copy."""
    yield from prepare(migrated_template, tmp_path_factory.mktemp("prepared"))


@pytest.fixture(scope="module")
def site(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A running site whose data the module's tests share."""
    with serve(prepared, tmp_path_factory.mktemp("site")) as running:
        yield running


def page_of(context: BrowserContext, site: Site, person: str | None) -> Watched:
    """A new page where this person is signed in."""
    context.set_default_timeout(10_000)
    if person is not None:
        cookie = {"name": "sessionid", "value": site.sessions[person], "url": site.address}
        context.add_cookies([cookie])  # type: ignore[list-item]
    return Watched(context.new_page())


class _Visit:
    def __init__(self, site: Site, new_context: CreateContextCallback) -> None:
        self.watched: list[Watched] = []
        self._site = site
        self._new_context = new_context

    def __call__(self, person: str | None, path: str, *, width: int = DESK, **options: Any) -> Page:
        options = {"reduced_motion": "reduce", **options}
        context = self._new_context(
            base_url=self._site.address, viewport={"width": width, "height": 800}, **options
        )
        watched = page_of(context, self._site, person)
        self.watched.append(watched)
        watched.page.goto(path)
        return watched.page


@pytest.fixture
def visit(site: Site, new_context: CreateContextCallback) -> Iterator[Visit]:
    """Open a page as somebody, in a browser of their own; no console may have complained."""
    visiting = _Visit(site, new_context)
    yield visiting
    complaints = [complaint for each in visiting.watched for complaint in each.complaints]
    assert not complaints, "\n".join(complaints)


@pytest.fixture(scope="session")
def html() -> Iterator[Validator]:
    """What tells whether a page is valid HTML."""
    with validator() as running:
        yield running


@pytest.fixture
def check(visit: Visit, html: Validator) -> Check:
    """See that a page is in order as it is now: HTML, axe, no sideways scroll."""

    def check(page: Page) -> None:
        check_page(next(each for each in visit.watched if each.page is page), html)

    return check
