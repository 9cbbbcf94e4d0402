"""A running installation as the acceptance tests see it: report, change, wait, read the mails."""

import json
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.installation import Installation, Reply, wait_for
from tests.smtp_server import Received, SmtpServer

from integration_alerts.engine.sweeping import SWEEP_SECONDS

SENDER = "Integration Alerts <alerts@platform.example>"


@dataclass(frozen=True)
class Live:
    """Web and worker on one database, and the mail server that they use."""

    installation: Installation
    address: str
    smtp: SmtpServer

    @classmethod
    def start(cls, installation: Installation, smtp: SmtpServer) -> "Live":
        """Start a web process and a worker."""
        address = installation.web()
        installation.worker()
        return cls(installation, address, smtp)

    def report(self, *reports: dict[str, Any]) -> list[str]:
        """Post reports and give their results."""
        return [answer["result"] for answer in self._post("reports", reports)]

    def change(self, *lines: dict[str, Any]) -> None:
        """Post directory lines, each of which must be applied."""
        answers = self._post("directory", lines)
        assert all(answer["result"] == "applied" for answer in answers), answers

    def mails(self, integration: str) -> list[Received]:
        """The emails received about an integration, known by its id or by their subjects."""
        known = {row[0] for row in self.installation.query(_MESSAGE_IDS, integration)}
        return [
            mail
            for mail in self.smtp.messages
            if mail.message["Message-ID"] in known or f"{integration} for " in subject(mail)
        ]

    def recipients(self, integration: str) -> list[str]:
        """Who has mail about the integration; an address stands there once for each mail."""
        return sorted(mail.recipient for mail in self.mails(integration))

    def notices(self, integration: str) -> list[tuple[Any, ...]]:
        """(state, step, status) of the integration's notices, in the order of their dues."""
        return self.installation.query(_NOTICES, integration)

    def emails(self, integration: str) -> list[tuple[Any, ...]]:
        """(member, status, reason of its end) of the emails about the integration."""
        return self.installation.query(_EMAILS, integration)

    def settle(self, patience: float = 60) -> None:
        """Wait until all work is done: nothing is due, planned, queued or being sent."""
        settle(self.installation, patience)

    def _post(self, path: str, items: Iterable[dict[str, Any]]) -> Any:
        reply = self.installation.post(self.address, path, list(items))
        assert reply.status == 200, reply.body
        return reply.json


def settle(installation: Installation, patience: float = 60) -> None:
    """Wait until all work is done: nothing is due, planned, queued or being sent."""

    def left() -> Counter[str]:
        return Counter({what: count for what, count in installation.query(_LEFT) if count})

    wait_for(lambda: not left(), what=lambda: f"no work to be left: {left()}", patience=patience)


def two_sweeps() -> None:
    """Wait until the workers have looked for work by themselves twice from now on."""
    time.sleep(2 * SWEEP_SECONDS + 1)


def subject(mail: Received) -> str:
    """The subject line, decoded."""
    return str(mail.message["Subject"])


def assert_problem(reply: Reply, status: int, *words: str) -> None:
    """The reply is problem+json with this status, and its detail holds the words."""
    assert reply.status == status, reply.body
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json
    assert problem["status"] == status
    assert problem["title"]
    assert [word for word in words if word not in problem["detail"]] == [], problem


def of_type(kind: str, **fields: Any) -> dict[str, Any]:
    """A directory line of the account acme, unless it names another."""
    return {"type": kind, "account": "acme", **fields}


def ndjson_of(text: str) -> list[dict[str, Any]]:
    """The values of NDJSON text."""
    return [json.loads(line) for line in text.splitlines()]


_LEFT = """
SELECT 'incidents due', count(*) FROM incident WHERE next_notice_at <= now()
UNION ALL SELECT 'notices to compose', count(*) FROM notice WHERE status = 'planned'
UNION ALL SELECT 'emails ' || status, count(*) FROM email
WHERE status IN ('queued', 'sending') GROUP BY status"""

_NOTICES = """
SELECT notice.state, notice.step, notice.status FROM notice
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
WHERE integration.external_id = %s
ORDER BY notice.due_at, notice.id"""

_MESSAGE_IDS = """
SELECT email.message_id FROM email
JOIN email_notice ON email_notice.email_id = email.id AND NOT email_notice.released
JOIN notice ON notice.id = email_notice.notice_id
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
WHERE integration.external_id = %s"""

_EMAILS = """
SELECT member.external_id, email.status, email.outcome_reason FROM email
JOIN member ON member.id = email.member_id
JOIN email_notice ON email_notice.email_id = email.id
JOIN notice ON notice.id = email_notice.notice_id
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
WHERE integration.external_id = %s
ORDER BY member.external_id, email.id"""
