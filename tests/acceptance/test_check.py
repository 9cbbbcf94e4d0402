"""`check`: what is wrong with an installation, and what to do about it."""

import pytest
from tests.acceptance.live import Live
from tests.installation import Installation, free_port
from tests.smtp_server import SmtpServer


def test_all_is_well(live: Live) -> None:
    done = live.installation.command("check")

    assert (done.returncode, done.stderr) == (0, "")
    assert _findings(done.stdout) == [
        ("ok", "configuration"),
        ("ok", "database"),
        ("ok", "schema"),
        ("ok", "mail"),
        ("ok", "worker"),
    ]


def test_without_a_worker_it_says_how_to_start_one(installation: Installation) -> None:
    done = installation.command("check")

    assert done.returncode == 1
    assert done.stdout.splitlines()[-2:] == [
        "FAIL worker: no worker was seen lately: nothing is sent",
        "     start `integration-alerts run`, or `integration-alerts worker`",
    ]


def test_a_mail_server_that_is_down_is_named_with_a_hint(
    installation: Installation, smtp: SmtpServer
) -> None:
    smtp.down()

    done = installation.command("check")

    mail = done.stdout.splitlines()[3:5]
    assert done.returncode == 1
    assert mail[0].startswith(f"FAIL mail: 127.0.0.1:{smtp.port} ")
    assert "Connection refused" in mail[0]
    assert mail[1] == "     check EMAIL_URL, and that this machine may reach the server"


def test_a_mail_server_that_refuses_the_password_is_told_in_its_words(
    installation: Installation,
) -> None:
    with SmtpServer(auth=("alerts", "right")) as smtp:
        installation.environment["EMAIL_URL"] = f"smtp://alerts:wrong@127.0.0.1:{smtp.port}"
        done = installation.command("check")

    assert done.returncode == 1
    assert "FAIL mail" in done.stdout
    assert "535" in done.stdout
    assert "wrong@" not in done.stdout + done.stderr


def test_a_database_without_the_schema_is_told_to_migrate(empty_database: Installation) -> None:
    done = empty_database.command("check")

    assert done.returncode == 1
    assert "     run: integration-alerts migrate" in done.stdout.splitlines()


@pytest.mark.parametrize("command", ["report", "import"])
def test_a_command_on_a_database_without_the_schema_is_one_clear_line(
    empty_database: Installation, command: str
) -> None:
    done = empty_database.command(command, "-")

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.endswith("run: integration-alerts migrate\n")


@pytest.mark.parametrize(("command", "code"), [("check", 1), ("report", 2), ("migrate", 2)])
def test_a_database_that_nobody_answers_for_is_told_with_its_reason(
    installation: Installation, command: str, code: int
) -> None:
    address = f"127.0.0.1:{free_port()}"
    installation.environment["DATABASE_URL"] = f"postgresql://alerts:secret@{address}/alerts"

    done = installation.command(command, *(["-"] if command == "report" else []))

    assert done.returncode == code
    told = done.stdout + done.stderr
    assert "Connection refused" in told
    assert "check DATABASE_URL" in told
    assert "Traceback" not in told
    assert "secret" not in told
    assert len(told.splitlines()) <= 3


def _findings(stdout: str) -> list[tuple[str, str]]:
    """Whether it is well, and what was looked at, of each finding."""
    return [
        (word, subject)
        for word, subject in (line.split(":")[0].split(maxsplit=1) for line in stdout.splitlines())
    ]
