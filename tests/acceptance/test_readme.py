"""Every command of the README is run, in its order, as a reader would: this is the first hour.

Little is different: servers listen on free ports, mail goes to an SMTP server on loopback, and of
`make` only what it would do is looked at, because a suite cannot run itself. A command that this
file does not know fails the test.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.installation import PATIENCE, Installation, free_port, get, wait_for
from tests.smtp_server import SmtpServer

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ".venv/bin/integration-alerts"
ADDRESS = "http://127.0.0.1:8000"
MAKE = {
    "install": "pip install",
    "test": "-m pytest",
    "run": f"{PROGRAM} run --demo",
}


def commands_of(document: str) -> list[str]:
    """The commands in the `sh` blocks of a document, lines that go on joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)
    commands: list[str] = []
    for line in "".join(blocks).replace("\\\n", " ").splitlines():
        if commands and not _is_complete(commands[-1]):
            commands[-1] += "\n" + line
        elif line.strip():
            commands.append(line)
    return commands


def _is_complete(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:  # a quotation goes on
        return False
    return True


class Reader:
    """Somebody who follows the README in a folder of their own."""

    def __init__(self, folder: Path, database_url: str, smtp: SmtpServer) -> None:
        self.installation = Installation(folder, None, EMAIL_URL="")
        del self.installation.environment["DATA_DIR"], self.installation.environment["SECRET_KEY"]
        self.folder = folder
        self.address = ADDRESS
        self.answers: list[str] = []
        self.replacements = {
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": database_url,
            "EMAIL_URL": smtp.url,
        }

    def follow(self, command: str) -> None:
        """Do what a command says, or what stands in for it."""
        match shlex.split(command):
            case ["make", "run"]:
                self._make("run")
                self._serve("run", "--demo")
            case ["make", ("install" | "test") as target]:
                self._make(target)
            case ["export", setting]:
                name, _, value = setting.partition("=")
                value = self.replacements.get(name, value)
                self.installation.environment[name] = value
            case ["curl", *arguments] if arguments[0].startswith(ADDRESS):
                self._curl(command)
            case [program, "run"] if program == PROGRAM:
                self._serve("run")
            case [program, "web", "--bind", "0.0.0.0:8000"] if program == PROGRAM:
                self._serve("web")
            case [program, "worker"] if program == PROGRAM:
                self.installation.database_url = self.installation.environment["DATABASE_URL"]
                self.installation.worker()
            case [program, ("apikey" | "check" | "migrate"), *_] if program == PROGRAM:
                self._finish(shlex.split(command)[1:])
            case _:
                pytest.fail(f"the README has a command that this test does not know: {command}")

    def stop(self) -> None:
        """End what runs, as Ctrl-C does, and see it end well."""
        for process in self.installation.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.installation.processes:
            assert process.wait(PATIENCE) == 0, self.installation.logs()
        self.installation.processes.clear()

    def _make(self, target: str) -> None:
        environment = {key: value for key, value in os.environ.items() if "MAKE" not in key}
        done = subprocess.run(
            ["make", "--dry-run", "--always-make", target],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert MAKE[target] in done.stdout

    def _serve(self, *arguments: str) -> None:
        if arguments[0] == "run":
            self.stop()
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._start(*arguments, "--bind", f"127.0.0.1:{port}")
        wait_for(self._ready, what=lambda: f"{arguments} to be ready\n{self.installation.logs()}")

    def _start(self, *arguments: str) -> None:
        log = self.folder / f"{arguments[0]}-{free_port()}.log"
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "integration_alerts", *arguments],
                cwd=self.folder, env=self.installation.environment, stdout=output,
                stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        self.installation.processes.append(process)

    def _ready(self) -> bool:
        assert all(process.poll() is None for process in self.installation.processes)
        try:
            return get(f"{self.address}/healthz").status == 200
        except OSError:
            return False

    def _curl(self, command: str) -> None:
        command = command.replace(ADDRESS, self.address)
        self.answers.append(self._shell(command.replace("curl", "curl -sS --fail-with-body", 1)))

    def told(self, integration: str) -> list[str]:
        """Who has a mail about this integration in the inbox."""
        mails = get(f"{self.address}/api/v1/inbox?limit=500").json
        return [mail["recipient"] for mail in mails if mail["subject"].startswith(integration)]

    def _finish(self, arguments: list[str]) -> None:
        command = shlex.join([sys.executable, "-m", "integration_alerts", *arguments])
        self.answers.append(self._shell(command))

    def _shell(self, command: str) -> str:
        done = subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=self.installation.environment,
            capture_output=True, text=True, timeout=PATIENCE,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def reader(tmp_path: Path, scratch_url: str, smtp: SmtpServer) -> Iterator[Reader]:
    someone = Reader(tmp_path, scratch_url, smtp)
    yield someone
    someone.installation.close()
    assert "Traceback" not in someone.installation.logs(), someone.installation.logs()


def test_the_readme_can_be_followed(reader: Reader) -> None:
    readme = (ROOT / "README.md").read_text()
    for command in commands_of(readme):
        reader.follow(command)
        if "readme-1" in command:
            wait_for(lambda: len(reader.told("Google Ads for North Bakery")) == 2, what="two mails")
    reader.stop()

    reported, inbox, key, checked, _migrated = reader.answers
    assert reported == '[{"id":"readme-1","result":"applied"}]'
    assert f"`{reported}`" in readme
    assert len(json.loads(inbox)) == 2
    assert key.startswith("ia_")
    assert "FAIL" not in checked


def test_a_command_that_is_not_known_fails(reader: Reader) -> None:
    with pytest.raises(pytest.fail.Exception, match="does not know: integration-alerts fly"):
        reader.follow("integration-alerts fly")


def test_quotations_and_continued_lines_are_one_command() -> None:
    document = "```sh\nmake run\n```\ntext\n```sh\ncurl a \\\n  -d '[1,\n  2]'\nmake test\n```\n"
    assert commands_of(document) == ["make run", "curl a    -d '[1,\n  2]'", "make test"]
