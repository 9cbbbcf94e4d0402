"""A web process that is killed keeps all that it answered, and whole batches only (R24)."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.acceptance.processes import processes_of
from tests.faults.posting import Clients, stored
from tests.installation import Installation, get, wait_for

BATCH = 200


@pytest.fixture(autouse=True)
def no_orphans(installation: Installation, tmp_path: Path) -> Iterator[None]:
    """Whatever a killed process left running ends with the test."""
    yield
    installation.close()
    kill(*processes_of(tmp_path))


def kill(*processes: int) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@pytest.mark.long
def test_what_was_answered_is_there_and_what_was_not_is_there_as_a_whole_or_not_at_all(
    installation: Installation, tmp_path: Path
) -> None:
    address = installation.web()

    with Clients(installation, address, threads=4, batch=BATCH) as clients:
        wait_for(lambda: len(clients.answered) >= 10, what="some answers")
        kill(*processes_of(tmp_path))
        wait_for(lambda: clients.unanswered, what="a batch without an answer")

    assert clients.surprises == []
    assert {stored(installation, batch) for batch in clients.answered} == {BATCH}
    assert {stored(installation, batch) for batch in clients.unanswered} <= {0, BATCH}


@pytest.mark.long
def test_a_killed_web_process_frees_its_address_for_the_next(installation: Installation) -> None:
    address = installation.web()

    kill(installation.processes[0].pid)

    wait_for(lambda: not _listens(address), what=f"nobody to listen on {address}")


@pytest.mark.long
def test_a_serving_process_that_is_killed_is_replaced(
    installation: Installation, tmp_path: Path
) -> None:
    address = installation.web()
    main = installation.processes[0].pid
    (serving,) = set(processes_of(tmp_path)) - {main}

    kill(serving)

    wait_for(lambda: _answers(address), what="an answer")
    assert serving not in processes_of(tmp_path)


def _answers(address: str) -> bool:
    with suppress(OSError):
        return get(f"{address}/healthz").status == 200
    return False


def _listens(address: str) -> bool:
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname, parts.port), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True
