"""PostgreSQL is killed under `run`: nothing accepted is lost, and `run` recovers (R24)."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.acceptance.processes import wait_until_nothing_runs
from tests.faults.posting import Clients, stored
from tests.installation import PATIENCE, Installation, failed, get, wait_for
from tests.smtp_server import SmtpServer

BATCH = 20


@pytest.fixture
def home(tmp_path: Path, smtp: SmtpServer) -> Iterator[Installation]:
    """An installation with the embedded database, and clients that report without a pause."""
    installation = Installation(tmp_path, None, EMAIL_URL=smtp.url)
    yield installation
    installation.close()
    wait_until_nothing_runs(tmp_path)


def postmaster(folder: Path) -> int:
    return int((folder / "postgres/cluster/postmaster.pid").read_text().split()[0])


def supervisor(folder: Path) -> int:
    return int((folder / "postgres/supervisor.lock").read_text())


@pytest.mark.long
@pytest.mark.parametrize("victim", [postmaster, supervisor])
def test_every_report_that_was_answered_is_there_afterwards(
    home: Installation, victim: Callable[[Path], int]
) -> None:
    address = home.web("run")
    home.import_directory()

    with Clients(home, address, threads=4, batch=BATCH) as clients:
        wait_for(lambda: len(clients.answered) >= 20, what="some answers")
        os.kill(victim(home.folder), signal.SIGKILL)
        wait_for(lambda: clients.unanswered, what="a batch without an answer")
    home.close()

    home.web("run")
    assert clients.surprises == []
    assert {stored(home, batch) for batch in clients.answered} == {BATCH}
    assert {stored(home, batch) for batch in clients.unanswered} <= {0, BATCH}


@pytest.mark.long
@pytest.mark.parametrize("victim", [postmaster, supervisor])
def test_run_recovers_by_itself(
    home: Installation, smtp: SmtpServer, victim: Callable[[Path], int]
) -> None:
    address = home.web("run")
    home.import_directory()
    home.key()
    before = postmaster(home.folder)

    os.kill(victim(home.folder), signal.SIGKILL)

    wait_for(
        lambda: _has_another_database(home, before) and _is_ready(address),
        what=lambda: f"the database to be back\n{home.logs()[-2000:]}",
        patience=2 * PATIENCE,
    )
    assert home.post(address, "reports", [failed()]).json[0]["result"] == "applied"
    smtp.wait_for_messages(2, timeout=PATIENCE)


def _has_another_database(home: Installation, before: int) -> bool:
    with suppress(OSError, IndexError):  # the file is gone, or about to be written
        return postmaster(home.folder) != before
    return False


def _is_ready(address: str) -> bool:
    with suppress(OSError):
        return get(f"{address}/readyz").status == 200
    return False
