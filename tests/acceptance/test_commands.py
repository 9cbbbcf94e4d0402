"""The commands on the embedded database, while `run` has it running and when it does not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.live import of_type
from tests.acceptance.processes import copy_folder
from tests.installation import DIRECTORY, Installation, failed, ndjson


@pytest.fixture(scope="module", params=["run is running", "nothing is running"])
def home(
    request: pytest.FixtureRequest,
    furnished_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """An installation with the embedded database and DIRECTORY in it."""
    installation = Installation(tmp_path_factory.mktemp("home"), None)
    copy_folder(furnished_folder, installation.folder)
    if request.param == "run is running":
        installation.web("run")
    yield installation
    installation.close()
    assert "Traceback" not in installation.logs()


def test_import_tells_how_many_lines_were_applied(home: Installation) -> None:
    done = home.command("import", "-", stdin=ndjson(DIRECTORY))

    assert (done.returncode, done.stdout, done.stderr) == (0, "applied 8, rejected 0\n", "")


def test_import_applies_the_good_lines_and_tells_the_bad_ones(home: Installation) -> None:
    lines = [
        json.dumps(of_type("company", id="west", name="West")),
        '{"type": "company", "account": "acme"',
        json.dumps(of_type("user", id="eve", role="boss", email="eve@acme.example", name="Eve")),
        json.dumps(of_type("company", id="west", name="Far West")),
    ]

    done = home.command("import", "-", stdin="\n".join(lines))

    assert done.returncode == 1
    assert done.stdout == "applied 2, rejected 2\n"
    assert _places(done.stderr) == ["line 2: not valid JSON", "line 3: role:"]


def test_report_tells_what_became_of_the_reports(home: Installation) -> None:
    report = failed("counted")

    done = home.command("report", "-", stdin=ndjson([report, report, failed("counted")]))

    assert done.stdout == "applied 1, unchanged 1, duplicate 1, stale 0, rejected 0\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_prune_tells_what_would_go_and_then_what_went(home: Installation) -> None:
    for arguments, words in (
        (["--dry-run"], "would delete nothing\n"),
        ([], "deleted nothing\n"),
    ):
        done = home.command("prune", *arguments)
        assert (done.returncode, done.stdout, done.stderr) == (0, words, "")


def test_report_applies_the_good_lines_and_tells_the_bad_ones(home: Installation) -> None:
    lines = [
        json.dumps(failed("before")),
        json.dumps({**failed(), "state": "broken"}),
        "",
        "not JSON",
        json.dumps(failed(company="east")),
        json.dumps(failed("after")),
    ]

    done = home.command("report", "-", stdin="\n".join(lines))

    assert done.returncode == 1
    assert done.stdout == "applied 2, unchanged 0, duplicate 0, stale 0, rejected 3\n"
    assert _places(done.stderr) == ["line 2: state:", "line 4: not valid JSON", "line 5: company:"]


def test_apikey_prints_the_secret_alone(home: Installation) -> None:
    done = home.command("apikey", "create", "--name", "a key", "--account", "acme")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ia_")
    assert len(done.stdout.split()) == 1


def test_apikey_for_an_unknown_account_is_one_clear_line(home: Installation) -> None:
    done = home.command("apikey", "create", "--name", "a key", "--account", "nobody")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("integration-alerts: --account: no account 'nobody'; import it first\n")


def test_testmail_without_a_mail_server_says_where_the_mail_is(home: Installation) -> None:
    done = home.command("testmail", "max@acme.example")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "kept for max@acme.example: no EMAIL_URL is set, so the built-in inbox has it, "
        "http://localhost:8000/inbox\n"
    )


def test_migrate_may_be_repeated(home: Installation) -> None:
    assert home.command("migrate").returncode == 0


@pytest.mark.parametrize("command", ["import", "report"])
@pytest.mark.parametrize(
    ("file", "error"),
    [("nowhere.ndjson", "No such file or directory"), (".", "Is a directory")],
)
def test_a_file_that_cannot_be_read_is_told_and_is_wrong_usage(
    tmp_path: Path, command: str, file: str, error: str
) -> None:
    done = Installation(tmp_path, None).command(command, file)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].endswith(f"'{file}': {error}")
    assert "Traceback" not in done.stderr


def test_check_finds_everything_but_a_worker_that_does_not_run(home: Installation) -> None:
    done = home.command("check")

    words = [line[:4].strip() for line in done.stdout.splitlines()]
    if home.processes:
        assert (done.returncode, words) == (0, ["ok"] * 5)
    else:
        assert (done.returncode, words) == (1, ["ok"] * 4 + ["FAIL", ""])


def _places(stderr: str) -> list[str]:
    """The line number and the field, or that it is not JSON, of each rejection."""
    return [line.split(" (")[0] if "JSON" in line else " ".join(line.split()[:3])
            for line in stderr.splitlines()]  # fmt: skip
