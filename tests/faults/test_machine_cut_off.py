"""Three machines; one is cut off without a word among its mails, and comes back (R7, R24).

db has PostgreSQL, left and right a web process and a worker each; the mail server and the clients
are on this machine, on the same network.
"""

import http.client
import itertools
import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from tests.acceptance.live import SENDER, settle
from tests.installation import Installation, crowd, failed, get, post, wait_for
from tests.network import Network
from tests.postgres_server import PostgresServer
from tests.smtp_server import SmtpServer

CUT_SECONDS = 40
RECIPIENTS = 12
CONCURRENCY = 10
PORT = 8000
GIVE_BACK_SECONDS = 15  # docs/how-to/run-on-several-machines.md
SWEEP_SECONDS = 5


@dataclass
class Machines:
    """What runs where."""

    network: Network
    installation: Installation
    smtp: SmtpServer
    left: str
    right: str


class Mail(SmtpServer):
    """The mail server, at this machine's address on the network."""

    def __init__(self, host: str) -> None:
        super().__init__()
        self.host = host


class Client:
    """Posts one report after another to one web process, each again until it is answered."""

    def __init__(self, installation: Installation, address: str, name: str) -> None:
        self._key, self._address, self._name = installation.key(), address, name
        self.results: dict[str, str] = {}
        self.answered_at: list[float] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Client":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._done.is_set():
            event = f"{self._name}-{len(self.results)}"
            report = failed(event, id=event)
            while (result := self._post(report)) is None:
                time.sleep(0.2)
            self.results[event] = result
            self.answered_at.append(time.monotonic())
            self._done.wait(0.5)

    def _post(self, report: dict[str, Any]) -> str | None:
        with suppress(URLError, OSError, http.client.HTTPException):
            reply = post(
                f"{self._address}/api/v1/reports", json.dumps([report]).encode(), self._key
            )
            if reply.status == 200:
                return str(reply.json[0]["result"])
        return None


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    """The three machines, with everything running."""
    with Network() as network:
        db, left, right = (network.add(machine) for machine in ("db", "left", "right"))
        server = PostgresServer(tmp_path, db, 5432, prefix=network.on("db"), fsync=True)
        with server, Mail(network.gateway) as smtp:
            installation = Installation(
                tmp_path, server.create_database("alerts"),
                EMAIL_URL=smtp.url, DEFAULT_FROM_EMAIL=SENDER,
            )  # fmt: skip
            try:
                assert installation.command("migrate").returncode == 0
                installation.import_directory(crowd(RECIPIENTS))
                for machine, address in (("left", left), ("right", right)):
                    on = network.on(machine)
                    installation.start("web", "--bind", f"{address}:{PORT}", on=on)
                    installation.start("worker", "--concurrency", str(CONCURRENCY), on=on)
                addresses = [f"http://{address}:{PORT}" for address in (left, right)]
                wait_for(lambda: all(map(_ready, addresses)), what=installation.logs)
                wait_for(lambda: installation.workers() == 2, what=installation.logs)
                yield Machines(network, installation, smtp, *addresses)
            finally:
                network.connect("right")
                installation.close()


@pytest.mark.long
def test_nothing_is_lost_nothing_is_doubled_and_the_others_go_on(machines: Machines) -> None:
    installation, smtp = machines.installation, machines.smtp
    smtp.delay = 0.3  # so that mails are in flight at every instant
    here = Client(installation, machines.left, "left")
    there = Client(installation, machines.right, "right")
    with here, there:
        wait_for(lambda: min(len(here.results), len(there.results)) > 8, what="a start")
        machines.network.cut_off("right")
        cut = time.monotonic()
        claimed = {row[0] for row in installation.query(_CLAIMS)}
        time.sleep(CUT_SECONDS)
        abandoned = installation.query(_ABANDONED)
        taken_over = installation.query(_STILL_CLAIMED, sorted(claimed))
        back = time.monotonic()
        machines.network.connect("right")
        wait_for(
            lambda: there.answered_at[-1] > back, what="the machine to answer again", patience=30
        )
        caught_up = there.answered_at[-1] - back
        wait_for(lambda: _beats(installation) == 2, what="both workers to be heard", patience=30)
        heard = time.monotonic() - back
        time.sleep(3)
    settle(installation)

    gaps = [later - earlier for earlier, later in itertools.pairwise(here.answered_at)]
    logging.getLogger(__name__).warning(  # seen with --log-cli-level=WARNING
        "longest time between answers of the machine that stayed: %.1f s; emails given back: %s; "
        "after the link returned the other one answered within %.1f s, "
        "and its worker was heard within %.1f s",
        max(gaps), len(abandoned), caught_up, heard,
    )  # fmt: skip
    reports = len(here.results) + len(there.results)
    copies = defaultdict(list)
    for mail in smtp.messages:
        copies[str(mail.message["Message-ID"])].append((mail.recipient, mail.data))
    twice = [received for received in copies.values() if len(received) > 1]
    # Nothing is lost, nothing is made twice.
    assert installation.query(_TOLD) == [(reports * RECIPIENTS, reports * RECIPIENTS)]
    assert copies.keys() == {row[0] for row in installation.query("SELECT message_id FROM email")}
    assert set(here.results.values()) == {"applied"}
    assert installation.query("SELECT count(*) FROM report_receipt") == [(reports,)]
    assert installation.query("SELECT DISTINCT status FROM email") == [("sent",)]
    # Only what was in flight at the cut may have come twice, and then as a copy.
    assert all(len(set(received)) == 1 and len(received) == 2 for received in twice)
    in_flight = {row[0] for row in abandoned}
    assert {m for m, received in copies.items() if len(received) > 1} <= in_flight
    assert len(twice) <= CONCURRENCY
    assert in_flight, "a cut among no mails shows nothing"
    # The rest went on at once, and took over what the other had claimed.
    assert taken_over == [(0,)]
    assert max(gaps) < GIVE_BACK_SECONDS
    assert sum(cut < at < back for at in here.answered_at) > CUT_SECONDS / 2
    # It caught up by itself.
    assert caught_up < GIVE_BACK_SECONDS
    assert heard < GIVE_BACK_SECONDS


def _ready(address: str) -> bool:
    with suppress(OSError):
        return get(f"{address}/healthz").status == 200
    return False


def _beats(installation: Installation) -> int:
    fresh = "SELECT count(*) FROM worker WHERE heartbeat_at > now() - interval '5 seconds'"
    return int(installation.query(fresh)[0][0])


_CLAIMS = "SELECT id FROM email WHERE status = 'sending'"
_STILL_CLAIMED = """
SELECT count(*) FROM email WHERE id = ANY(%s) AND status NOT IN ('sent', 'cancelled')"""
_TOLD = """
SELECT count(*), count(DISTINCT (notice_id, member_id)) FROM email_notice WHERE NOT released"""
_ABANDONED = """
SELECT message_id FROM email
JOIN delivery_attempt ON delivery_attempt.email_id = email.id
WHERE delivery_attempt.answer LIKE 'the worker ended%%'"""
