"""Pages are read from a streaming replica: never an old state for long, never its own faults."""

import signal
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from tests.installation import Installation, failed, free_port, wait_for
from tests.postgres_server import PostgresServer

from integration_alerts.web.replica import LONGEST_LAG_SECONDS

TEMPLATE, DATABASE = "template_alerts", "alerts"

pytestmark = pytest.mark.long


@dataclass
class Browser:
    """A member at a browser, with the cookies that a browser would keep."""

    address: str
    account: str
    cookies: dict[str, str]

    def page(self, path: str = "") -> str:
        """What a page of the account says; its status must be 200."""
        status, body = self.get(path)
        assert status == 200, body
        return body

    def get(self, path: str = "") -> tuple[int, str]:
        """Status and text of a page of the account."""
        return self._send(urllib.request.Request(self._url(path)))

    def post(self, path: str, **fields: str) -> tuple[int, str]:
        """Send a form of a page; redirections are followed."""
        self.get(path)  # brings the token
        fields["csrfmiddlewaretoken"] = self.cookies["csrftoken"]
        body = urllib.parse.urlencode(fields).encode()
        return self._send(urllib.request.Request(self._url(path), body))

    def _url(self, path: str) -> str:
        return f"{self.address}/accounts/{self.account}/{path}"

    def _send(self, request: urllib.request.Request) -> tuple[int, str]:
        opener = urllib.request.build_opener(_Redirecting(self.cookies))
        request.add_unredirected_header("Cookie", _header(self.cookies))
        request.add_header("Origin", self.address)
        try:
            with opener.open(request, timeout=30) as response:
                _keep(self.cookies, response.headers)
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()


class _Redirecting(urllib.request.HTTPRedirectHandler):
    def __init__(self, cookies: dict[str, str]) -> None:
        self._cookies = cookies

    def redirect_request(self, request, fp, code, msg, headers, url):  # type: ignore[no-untyped-def]
        """Follow with the cookies that came."""
        _keep(self._cookies, headers)
        following = urllib.request.Request(url)
        following.add_unredirected_header("Cookie", _header(self._cookies))
        return following


@dataclass
class Site:
    """A web process on a primary and its replica."""

    installation: Installation
    address: str
    primary: PostgresServer
    replica: PostgresServer

    def browser(self, member: str) -> Browser:
        """A browser in which this member of Acme is signed in."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.session", "acme", member],
            env=self.installation.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        account, session = done.stdout.split()
        return Browser(self.address, account, {"sessionid": session})

    def report(self, name: str) -> None:
        """The platform reports a failure, which no browser knows of."""
        reply = self.installation.post(self.address, "reports", [failed(name, name=name)])
        assert reply.json[0]["result"] == "applied"

    def pause(self) -> None:
        """The replica takes no more changes over."""
        self.on_replica("SELECT pg_wal_replay_pause()")
        wait_for(
            lambda: self.on_replica("SELECT pg_get_wal_replay_pause_state() = 'paused'"),
            what="a pause",
        )

    def on_replica(self, statement: str) -> bool:
        """Run a statement there; whether it says true."""
        with psycopg.connect(self.replica.url(DATABASE), autocommit=True) as connection:
            found = connection.execute(statement).fetchone()  # type: ignore[call-overload]
            return found is not None and found[0] is True


@pytest.fixture(scope="module")
def primary(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """A server with a migrated database, to be copied."""
    folder = tmp_path_factory.mktemp("primary")
    with PostgresServer(folder, "127.0.0.1", free_port()) as server:
        done = Installation(folder, server.create_database(TEMPLATE)).command("migrate")
        assert done.returncode == 0, done.stderr
        yield server


@pytest.fixture
def site(primary: PostgresServer, tmp_path: Path) -> Iterator[Site]:
    """A site whose pages come from the replica."""
    primary.execute(f"CREATE DATABASE {DATABASE} TEMPLATE {TEMPLATE}")
    with primary.replica(tmp_path, free_port()) as replica:
        installation = Installation(
            tmp_path, primary.url(DATABASE), DATABASE_REPLICA_URL=replica.url(DATABASE)
        )
        try:
            installation.import_directory()
            installation.key()
            yield Site(installation, installation.web(), primary, replica)
        finally:
            installation.close()
    primary.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    assert "Traceback" not in installation.logs(), installation.logs()


def from_replica(site: Site, browser: Browser) -> None:
    """Wait until pages come from the replica, as it counts."""

    def reads() -> bool:
        browser.page()
        return site.on_replica(
            "SELECT coalesce(sum(seq_scan + idx_scan), 0) > 0 FROM pg_stat_user_tables"
            " WHERE relname = 'integration'"
        )

    wait_for(reads, what=lambda: f"pages from the replica\n{site.installation.logs()}")
    time.sleep(1)  # so that it counts as recent for the following seconds


def test_pages_come_from_the_replica_for_a_few_seconds_and_then_from_the_primary(
    site: Site,
) -> None:
    site.report("ads")
    browser = site.browser("ada")
    from_replica(site, browser)
    assert "ads" in browser.page()

    site.pause()
    site.report("calendar")
    began = time.monotonic()
    assert "calendar" not in browser.page()
    wait_for(lambda: "calendar" in browser.page(), what="the primary's answer")
    assert time.monotonic() - began < LONGEST_LAG_SECONDS + 3


def test_whoever_changed_something_sees_it_at_once(site: Site) -> None:
    site.report("ads")
    browser, other = site.browser("ada"), site.browser("max")
    from_replica(site, browser)
    ((integration,),) = site.installation.query("SELECT id FROM integration")
    assert "No failures" not in browser.page()

    site.pause()
    path = f"integrations/{integration}/state"
    event = "6f2c1d4e-0000-4000-8000-000000000000"
    status, body = browser.post(path, to="disabled", event=event)
    assert (status, "ads is disabled." in body) == (200, True), body
    assert "Activate" in browser.page(f"integrations/{integration}")
    assert "Activate" not in other.page(f"integrations/{integration}")


def test_who_was_deactivated_sees_nothing_from_that_instant(site: Site) -> None:
    browser = site.browser("ada")
    from_replica(site, browser)
    site.pause()
    line = {"type": "user", "account": "acme", "id": "ada", "active": False}
    reply = site.installation.post(site.address, "directory", [line])
    assert reply.json[0]["result"] == "applied", reply.body
    assert browser.get()[0] == 404


@pytest.mark.parametrize("fault", ["stopped", "deaf", "promoted"])
def test_a_page_never_fails_because_of_the_replica(site: Site, fault: str) -> None:
    site.report("ads")
    browser = site.browser("ada")
    from_replica(site, browser)
    match fault:
        case "stopped":
            site.replica.stop()
        case "deaf":  # takes no new connections
            site.replica.signal(signal.SIGSTOP)
        case _:
            site.on_replica("SELECT pg_promote()")
    site.report("calendar")
    for _ in range(10):
        assert "ads" in browser.page()
    wait_for(lambda: "calendar" in browser.page(), what="the primary's answer")


def test_nothing_is_written_to_the_replica(site: Site) -> None:
    program = (
        "import django; django.setup()\n"
        "from integration_alerts.directory.models import Company\n"
        "from integration_alerts.web.replica import _the_replica\n"
        "with _the_replica():\n"
        "    assert Company.objects.count() == 2\n"
        "    Company.objects.update(name='changed')\n"
    )
    wait_for(
        lambda: site.on_replica("SELECT count(*) = 2 FROM company"), what="the replica to follow"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False,
        env={
            **site.installation.environment,
            "DJANGO_SETTINGS_MODULE": "integration_alerts.settings",
        },
    )  # fmt: skip
    assert "read-only transaction" in done.stderr


def _header(cookies: dict[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _keep(cookies: dict[str, str], headers) -> None:  # type: ignore[no-untyped-def]
    for line in headers.get_all("Set-Cookie") or []:
        name, _, rest = line.partition("=")
        cookies[name] = rest.partition(";")[0]
