"""The documents say what the code says: settings, commands, requests, statuses, words."""

import dataclasses
import re
import subprocess
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from integration_alerts.alerts.models import NoticeStatus
from integration_alerts.cli.main import commands
from integration_alerts.configuration import Configuration
from integration_alerts.mail.esps import ESPS
from integration_alerts.mail.models import EmailStatus
from integration_alerts.rules.states import Result, State

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GLOSSARY_OF_THE_SPECIFICATION = {
    "account", "company", "member", "role", "integration", "state", "status report",
    "state change", "incident", "subscription", "notice", "email", "delivery attempt",
}  # fmt: skip
NOT_FROM_A_SETTING = {"demo"}  # set by `run --demo` itself
NOT_IN_CONFIGURATION = {"SECRET_KEY"}  # `configuration.secret_key` keeps it out of every repr


def read(name: str) -> str:
    return (DOCS / name).read_text()


def headings(name: str) -> set[str]:
    return set(re.findall(r"^## (\S+)$", read(name), re.MULTILINE))


def code(name: str) -> set[str]:
    """What stands in backticks, in running text or in a table."""
    return set(re.findall(r"`([^`\n]+)`", read(name)))


def paths_of_commands(
    group: click.Group, prefix: str = ""
) -> "Iterator[tuple[str, click.Command]]":
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from paths_of_commands(command, f"{prefix}{name} ")
        else:
            yield f"{prefix}{name}", command


SETTINGS = {
    field.name.upper(): field
    for field in dataclasses.fields(Configuration)
    if field.name not in NOT_FROM_A_SETTING
}
SETTINGS["DATABASE_URL"] = SETTINGS.pop("DATABASE")
SETTINGS["DATABASE_DIRECT_URL"] = SETTINGS.pop("DATABASE_DIRECT")
SETTINGS["DATABASE_REPLICA_URL"] = SETTINGS.pop("DATABASE_REPLICA")
SETTINGS["EMAIL_URL"] = SETTINGS.pop("MAIL_SERVER")
COMMANDS = dict(paths_of_commands(commands))


def test_every_setting_is_described_and_nothing_else() -> None:
    described = {name for name in headings("reference/settings.md") if name.isupper()}
    assert described == SETTINGS.keys() | NOT_IN_CONFIGURATION


@pytest.mark.parametrize("setting", sorted(SETTINGS))
def test_the_source_reads_each_setting_by_the_name_in_the_document(setting: str) -> None:
    source = (ROOT / "src" / "integration_alerts" / "configuration.py").read_text()
    assert f'"{setting}"' in source


@pytest.mark.parametrize("scheme", ESPS)
def test_every_email_service_stands_with_its_settings(scheme: str) -> None:
    (row,) = re.findall(rf"^\| `{scheme}://.*$", read("reference/settings.md"), re.MULTILINE)
    kind = ESPS[scheme]
    named = {kind.user, kind.password, kind.host} - {"", "api_url"}
    for setting in named | kind.settings | kind.webhook_settings | kind.required:
        assert setting in row
    assert f"`{scheme}://" in read("how-to/send-mail.md")
    assert kind.title in read("how-to/send-mail.md")


def test_every_command_is_described_and_nothing_else() -> None:
    assert headings("reference/commands.md") == {path.split()[0] for path in COMMANDS}


@pytest.mark.parametrize("path", sorted(COMMANDS))
def test_every_command_stands_with_its_arguments(path: str) -> None:
    calls = re.findall(r"^## .*\n\n`([^`]+)`", read("reference/commands.md"), re.MULTILINE)
    (synopsis,) = (call for call in calls if f"{call} ".startswith(f"{path} "))
    for parameter in COMMANDS[path].params:
        words = [parameter.human_readable_name.upper()]
        if isinstance(parameter, click.Option):
            words = [*parameter.opts]
        assert any(word in synopsis for word in words), f"{words} in {synopsis!r}"


@pytest.mark.parametrize("path", ["/api/v1/openapi.json", "/api/v1/docs", "/healthz", "/readyz"])
def test_every_fixed_address_is_described(path: str) -> None:
    assert path in read("reference/api.md")


def test_every_request_of_the_openapi_document_is_described() -> None:
    from integration_alerts.api.app import api

    described = code("reference/api.md")
    for path, operations in api.get_openapi_schema()["paths"].items():
        for method in operations:
            assert f"{method.upper()} {path}" in described


@pytest.mark.parametrize("words", [State, NoticeStatus, EmailStatus])
def test_every_status_is_described_and_drawn(words: type[StrEnum]) -> None:
    drawn = "\n".join(re.findall(r"```mermaid\n(.*?)```", read("states.md"), re.DOTALL))
    for word in words:
        assert f"`{word}`" in read("states.md")
        assert re.search(rf"\b{word}\b", drawn)


def test_every_result_of_a_report_is_described() -> None:
    assert code("reference/api.md") >= set(Result)


def test_the_glossary_has_the_words_of_the_specification() -> None:
    words = set(re.findall(r"^\| ([^|]+) \|", read("glossary.md"), re.MULTILINE))
    assert words >= GLOSSARY_OF_THE_SPECIFICATION


def test_every_document_is_reachable_from_the_index() -> None:
    listed = read("index.md") + read("decisions/README.md")
    for path in DOCS.rglob("*.md"):
        assert path.name in listed or path.name == "index.md", path


def test_the_functions_that_the_documents_name_exist() -> None:
    source = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    for name in ("states.md", "explanation/way-of-the-data.md"):
        modules = "bounces|closing|composing|outbox|planning|reporting|withdrawing|advancing|intake"
        named = re.findall(rf"\b(?:{modules})\.([a-z_]+)\b", read(name))
        assert named
        for function in named:
            assert f"def {function}(" in source, f"{function} in {name}"


def test_links_names_and_diagrams_of_the_documents() -> None:
    done = subprocess.run(
        [sys.executable, "docs/check.py"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
