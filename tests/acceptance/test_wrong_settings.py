"""A wrong setting stops the start with one line that names it, and exit code 2 (SPEC section 4)."""

from pathlib import Path

import pytest
from tests.installation import Installation, free_port

WRONG = [
    ("DATABASE_URL", "mysql://user@localhost/alerts"),
    ("DATABASE_URL", "postgresql://localhost"),
    ("DATABASE_URL", "postgresql://localhost/alerts?colour=red"),
    ("DATABASE_URL", "postgresql://localhost:port/alerts"),
    ("DATABASE_URL", "alerts"),
    ("EMAIL_URL", "http://mail.example"),
    ("EMAIL_URL", "smtp://"),
    ("EMAIL_URL", "smtp://mail.example:port"),
    ("EMAIL_URL", "smtp://mail.example?tls=no"),
    ("EMAIL_URL", "smtp://user@mail.example"),
    ("DEFAULT_FROM_EMAIL", "nobody"),
    ("DEFAULT_FROM_EMAIL", "Alerts <alerts at platform.example>"),
    ("DEFAULT_FROM_EMAIL", "Alerts <alerts@>"),
    ("DEFAULT_FROM_EMAIL", "alerts@platform.example\nBcc: all@platform.example"),
    ("PUBLIC_URL", "alerts.example.com"),
    ("PUBLIC_URL", "ftp://alerts.example.com"),
    ("PUBLIC_URL", "https://"),
    ("PUBLIC_URL", "https://alerts.example.com:port"),
    ("PUBLIC_URL", "https://[alerts"),
    ("GROUP_WAIT", "30s"),
    ("GROUP_WAIT", "-1"),
    ("GROUP_WAIT", "1.5"),
    ("GROUP_WAIT", "99999999999999999999"),
    ("GROUP_INTERVAL", "often"),
    ("LOG_FORMAT", "xml"),
    ("POSTGRES_BIN", "/nowhere"),
    ("DATA_DIR", "/proc/nowhere"),
    ("DATA_DIR", "/dev/null"),
]


@pytest.mark.parametrize(("name", "value"), WRONG, ids=lambda text: repr(text)[:40])
def test_one_line_names_the_setting(tmp_path: Path, name: str, value: str) -> None:
    done = Installation(tmp_path, None, **{name: value}).command("migrate")

    assert done.returncode == 2, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("integration-alerts: ")
    assert name in done.stderr


@pytest.mark.parametrize("command", ["run", "web", "worker", "check", "backtest"])
def test_every_command_checks_the_settings(tmp_path: Path, command: str) -> None:
    place = ["--bind", f"127.0.0.1:{free_port()}"]  # a demo may run beside the tests
    history = ["--directory", "/dev/null", "--reports", "/dev/null"]
    options = {"run": place, "web": place, "backtest": history}
    installation = Installation(tmp_path, None, GROUP_WAIT="soon")

    done = installation.command(command, *options.get(command, []))

    assert (done.returncode, done.stderr) == (
        2,
        "integration-alerts: GROUP_WAIT: expected a number of seconds from 0 to 86400, "
        "got 'soon'\n",
    )


def test_a_password_is_never_repeated(tmp_path: Path) -> None:
    installation = Installation(tmp_path, None, EMAIL_URL="smtp://user:p@ss/word@mail.example")

    assert "word" not in installation.command("check").stderr.replace("password", "")


def test_a_database_password_is_never_repeated(tmp_path: Path) -> None:
    url = "postgresql://user:hunter2@localhost:port/alerts"

    assert "hunter2" not in Installation(tmp_path, url).command("check").stderr
