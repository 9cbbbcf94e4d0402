# ruff: noqa: INP001 (a script, no package)
"""Makes the pictures in docs/pictures: `make screenshots`.

The pages are those of the demo, in a folder of its own; the mails are the samples.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from integration_alerts.mail.content import content
from integration_alerts.mail.filling import parts
from integration_alerts.mail.samples import samples

PICTURES = Path(__file__).parent / "pictures"
ADMINISTRATOR = "ines"
SIZES = {
    "": ({"width": 1280, "height": 800}, "light"),
    "-phone": ({"width": 360, "height": 740}, "dark"),
}
MAILS = {
    "mail-failed": "failed",
    "mail-pending": "pending",
    "mail-last-reminder": "last reminder",
    "mail-cause": "one cause and others",
}
MAIL_WIDTHS = {"": 640, "-phone": 360}


def main() -> None:
    """Start the demo, walk through it, and end it."""
    PICTURES.mkdir(exist_ok=True)
    with demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        for suffix, (viewport, scheme) in SIZES.items():
            page = signed_in(browser, address, viewport, scheme)
            take(page, suffix)
        take_mails(browser)
        browser.close()


def signed_in(browser: Browser, address: str, viewport: dict[str, int], scheme: str) -> Page:
    """A page on which the demo's Administrator is signed in."""
    context = browser.new_context(
        base_url=address, viewport=viewport, color_scheme=scheme, reduced_motion="reduce",
        timezone_id="Europe/Amsterdam",
    )  # fmt: skip
    page = context.new_page()
    page.goto("/")
    page.get_by_role("button", name=re.compile("Inês")).click()
    page.get_by_role("link", name="Meta Ads").wait_for()
    return page


def take(page: Page, suffix: str) -> None:
    """Take every picture."""
    account = page.url

    def picture(name: str) -> None:
        page.screenshot(path=PICTURES / f"{name}{suffix}.png")

    picture("integrations")
    page.get_by_role("button", name="Account", exact=True).click()
    picture("my-account")
    page.goto(f"{account}alerts")
    picture("alerts")
    page.goto(f"{account}alerts/new")
    picture("create-alert")
    page.goto(account)
    page.get_by_role("link", name="Meta Ads").click()
    page.get_by_role("heading", name="Meta Ads").wait_for()
    picture("integration")


def take_mails(browser: Browser) -> None:
    """Take the mails as a mail program shows them, on a desk and a phone, in light and dark."""
    letters = samples()
    for suffix, width in MAIL_WIDTHS.items():
        for scheme in ("light", "dark"):
            viewport = {"width": width, "height": 480}
            page = browser.new_page(viewport=viewport, color_scheme=scheme)
            for name, kind in MAILS.items():
                page.set_content(parts(content(letters[kind])).html)
                dark = "-dark" if scheme == "dark" else ""
                page.screenshot(path=PICTURES / f"{name}{suffix}{dark}.png", full_page=True)
            page.close()


@contextmanager
def demo() -> Iterator[str]:
    """The demo, running; it is gone afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{probe.getsockname()[1]}"
    folder = tempfile.mkdtemp(prefix="integration-alerts-demo-")
    kept = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "EMAIL_URL"}}
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "integration_alerts", "run", "--demo", "--bind", bind],
        env={**kept, "DATA_DIR": folder, "PUBLIC_URL": f"http://{bind}"},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            sys.exit("the demo did not start")
        yield f"http://{bind}"
    finally:
        process.terminate()
        process.wait(60)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
