"""`run`: everything on one machine under one process, which leaves nothing behind."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.processes import copy_folder, processes_of, wait_until_nothing_runs
from tests.installation import PATIENCE, Installation, failed, free_port, get, wait_for
from tests.smtp_server import SmtpServer


@pytest.fixture
def new_home(tmp_path: Path, smtp: SmtpServer) -> Iterator[Installation]:
    """An installation in a folder of its own, with no database yet."""
    folder = tmp_path / "data"
    folder.mkdir(exist_ok=True)
    installation = Installation(folder, None, EMAIL_URL=smtp.url)
    yield installation
    installation.close()
    wait_until_nothing_runs(folder)


@pytest.fixture
def home(furnished_folder: Path, tmp_path: Path, new_home: Installation) -> Installation:
    """The same, with the embedded database and DIRECTORY in it."""
    copy_folder(furnished_folder, new_home.folder)
    return new_home


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_it_answers_when_it_prints_its_address_and_a_signal_stops_all_of_it(
    new_home: Installation, number: signal.Signals
) -> None:
    home = new_home
    address = f"127.0.0.1:{free_port()}"
    run = home.start("run", "--bind", address)
    wait_for(lambda: f"is ready at http://{address}" in home.logs(), what=home.logs)
    assert get(f"http://{address}/healthz").status == 200

    run.send_signal(number)

    assert run.wait(PATIENCE) == 0
    assert list(processes_of(home.folder).values()) == []
    assert "Traceback" not in home.logs()


@pytest.mark.long
def test_after_a_kill_its_parts_stop_and_a_new_run_has_everything_that_was_accepted(
    home: Installation,
) -> None:
    address = home.web("run")
    report = failed()
    assert home.post(address, "reports", [report]).json[0]["result"] == "applied"

    home.processes[0].kill()

    wait_until_nothing_runs(home.folder)
    address = home.web("run")
    assert home.post(address, "reports", [report]).json[0]["result"] == "duplicate"


@pytest.mark.long
def test_after_a_kill_a_new_run_may_start_at_once(home: Installation) -> None:
    home.web("run")

    home.processes[0].kill()

    assert get(f"{home.web('run')}/healthz").status == 200


def test_a_second_run_on_the_same_data_works_beside_the_first_and_after_it(
    home: Installation,
) -> None:
    first, second = home.web("run"), home.web("run")
    report = failed()
    assert home.post(first, "reports", [report]).json[0]["result"] == "applied"
    assert home.post(second, "reports", [report]).json[0]["result"] == "duplicate"

    home.processes[0].terminate()

    assert home.processes[0].wait(PATIENCE) == 0
    assert home.post(second, "reports", [failed("later")]).json[0]["result"] == "applied"


@pytest.mark.parametrize("command", ["run", "web"])
def test_a_port_in_use_is_one_clear_line(
    home: Installation, smtp: SmtpServer, command: str
) -> None:
    done = home.command(command, "--bind", f"127.0.0.1:{smtp.port}")

    assert done.returncode == 2
    assert done.stderr == (
        f"integration-alerts: --bind: cannot listen on 127.0.0.1:{smtp.port} "
        "(Address already in use); choose another address, or stop what uses it\n"
    )
