"""Everything but LISTEN and migrations goes through PgBouncer in transaction mode."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.acceptance.live import SENDER, settle
from tests.database import SERVER
from tests.installation import Installation, crowd, failed, report
from tests.pgbouncer import PgBouncer
from tests.smtp_server import SmtpServer

POOLED = 12
WORKERS, WEBS = 3, 2
LISTENING = 2  # connections of a worker past PgBouncer: one for each queue
MAILS = 400

pytestmark = pytest.mark.long


@pytest.fixture
def bouncer(scratch_url: str, tmp_path: Path) -> Iterator[PgBouncer]:
    """PgBouncer before a fresh, migrated database."""
    name = scratch_url.removeprefix("postgresql:///").partition("?")[0]
    with PgBouncer(tmp_path, SERVER.conninfo["host"], name, connections=POOLED) as running:
        yield running


@pytest.fixture
def pooled(
    scratch_url: str, bouncer: PgBouncer, smtp: SmtpServer, tmp_path: Path
) -> Iterator[Installation]:
    """An installation that is connected through it."""
    installation = Installation(
        tmp_path, bouncer.url, DATABASE_DIRECT_URL=scratch_url, EMAIL_URL=smtp.url,
        DEFAULT_FROM_EMAIL=SENDER,
    )  # fmt: skip
    yield installation
    installation.close()
    assert "Traceback" not in installation.logs(), installation.logs()


def test_a_storm_over_many_processes_needs_few_connections_and_loses_nothing(
    pooled: Installation, smtp: SmtpServer
) -> None:
    pooled.import_directory(crowd(MAILS))
    webs = [pooled.web() for _ in range(WEBS)]
    for _ in range(WORKERS):
        pooled.worker()
    pooled.key()
    with Watching(pooled) as watching:
        for number, web in enumerate(webs):
            assert pooled.post(web, "reports", [failed(f"ads-{number}")]).status == 200
        settle(pooled)

    copies = Counter(str(mail.message["Message-ID"]) for mail in smtp.messages)
    assert set(copies.values()) == {1}
    assert len({mail.recipient for mail in smtp.messages}) == MAILS
    assert watching.most <= POOLED + WORKERS * LISTENING


def test_a_worker_is_woken_at_once(pooled: Installation, smtp: SmtpServer) -> None:
    pooled.import_directory()
    web = pooled.web()
    pooled.worker()
    waits = []
    for number in range(3):
        pooled.post(web, "reports", [failed(f"ads-{number}")])
        began = time.monotonic()
        smtp.wait_for_messages(2 * (number + 1))
        waits.append(time.monotonic() - began)
    assert min(waits) < 1  # a sweep comes every 5 seconds


def test_the_schema_comes_up_past_it(scratch_url: str, pooled: Installation) -> None:
    with psycopg.connect(scratch_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    done = pooled.command("migrate")
    assert done.returncode == 0, done.stderr
    pooled.import_directory()


def test_check_says_when_wake_ups_are_lost(pooled: Installation) -> None:
    assert "wake-ups" not in pooled.command("check").stdout
    del pooled.environment["DATABASE_DIRECT_URL"]
    assert "set DATABASE_DIRECT_URL" in pooled.command("check").stdout


def test_without_a_direct_way_mails_go_out_all_the_same(
    pooled: Installation, smtp: SmtpServer
) -> None:
    del pooled.environment["DATABASE_DIRECT_URL"]
    pooled.import_directory()
    web = pooled.web()
    pooled.worker()
    pooled.post(web, "reports", [failed()])
    smtp.wait_for_messages(2, timeout=30)
    pooled.post(web, "reports", [report("active")])
    settle(pooled)


class Watching:
    """How many connections the database has from the processes, at most."""

    def __init__(self, installation: Installation) -> None:
        self.most = 0
        self._installation = installation
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Watching":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.wait(0.1):
            ((count,),) = self._installation.query(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            )
            self.most = max(self.most, int(count))
