"""Running `backtest` on histories that a test writes down."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.acceptance.live import ndjson_of
from tests.installation import Installation, ndjson

START = datetime(2026, 1, 1, 8, tzinfo=UTC)
Line = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What `backtest` said."""

    code: int
    notices: list[Line]
    stderr: str

    def about(self, integration: str, *names: str) -> list[tuple[Any, ...]]:
        """These fields of the notices about an integration, in their order."""
        return [
            tuple(notice[name] for name in names)
            for notice in self.notices
            if notice["integration"] == integration
        ]


@dataclass
class History:
    """Reports to be replayed."""

    reports: list[Line] = field(default_factory=list)

    def add(self, integration: str, state: str, hours: float, **more: Any) -> "History":
        """A report of so many hours after the START."""
        report = {
            "id": f"event-{len(self.reports)}", "account": "acme", "company": "north",
            "integration": integration, "state": state, "occurred_at": at(hours), **more,
        }  # fmt: skip
        self.reports.append(report)
        return self

    def shuffled(self) -> list[Line]:
        """The same reports in another order."""
        return random.Random(1).sample(self.reports, len(self.reports))


def backtest(
    folder: Path,
    directory: Sequence[Line],
    reports: Sequence[Line] | str,
    *options: str,
    on: Installation | None = None,
) -> Outcome:
    """Run the command, by default for an installation with the embedded database."""
    files = {"directory": ndjson(directory)}
    files["reports"] = reports if isinstance(reports, str) else ndjson(reports)
    for name, text in files.items():
        (folder / name).write_text(text)
    arguments = [part for name in files for part in (f"--{name}", str(folder / name))]
    installation = on or Installation(folder / "data", None)
    done = installation.command("backtest", *arguments, *options)
    return Outcome(done.returncode, ndjson_of(done.stdout), done.stderr)


def at(hours: float) -> str:
    """The instant so many hours after the START, as the interface writes it."""
    moment = START + timedelta(hours=hours)
    return moment.isoformat().replace("+00:00", "Z")


def at_days(*days: float) -> list[str]:
    """The instants so many days after the START."""
    return [at(24 * day) for day in days]


def json_lines(reports: Sequence[Line]) -> list[str]:
    """Each report as a line without its end."""
    return [json.dumps(report) for report in reports]
