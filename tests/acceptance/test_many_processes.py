"""Two web processes and two workers on one database do the work of one, exactly once (R7)."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from tests.acceptance.live import settle
from tests.installation import Installation, failed, report, wait_for
from tests.smtp_server import SmtpServer

from integration_alerts.engine.wakeups import queue_of

INTEGRATIONS = 99
THREADS = 8
COPIES = 4
BATCH = 11
RECIPIENTS = ("ada@acme.example", "max@acme.example")


@pytest.fixture
def answers(installation: Installation) -> list[dict[str, Any]]:
    """The answer to every report, after all of them were posted over both web processes."""
    webs = [installation.web(), installation.web()]
    for _ in range(2):
        installation.worker()
    reports = [each for number in range(INTEGRATIONS) for each in _history(number)]
    shuffled = random.Random(7)  # the same order in every run
    batches = []
    for copy in range(COPIES):
        shuffled.shuffle(reports)
        pieces = [reports[start : start + BATCH] for start in range(0, len(reports), BATCH)]
        batches += [(webs[(copy + number) % 2], piece) for number, piece in enumerate(pieces)]
    shuffled.shuffle(batches)

    def post(batch: tuple[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
        reply = installation.post(batch[0], "reports", batch[1])
        assert reply.status == 200, reply.body
        return reply.json

    with ThreadPoolExecutor(THREADS) as threads:
        answered = [answer for reply in threads.map(post, batches) for answer in reply]
    settle(installation)
    return answered


def test_a_worker_takes_the_calls_that_are_for_it_alone(installation: Installation) -> None:
    for _ in range(2):
        installation.worker()
    workers = [worker for (worker,) in installation.query("SELECT id FROM worker")]
    assert len(workers) == 2
    for worker in workers:
        installation.query(_CALL, queue_of(worker))
    wait_for(lambda: not installation.query(_CALLS), patience=10, what="the calls to be taken")


def test_every_member_is_told_of_every_notice_exactly_once(
    installation: Installation, smtp: SmtpServer, answers: list[dict[str, Any]]
) -> None:
    arrived = {str(mail.message["Message-ID"]) for mail in smtp.messages}
    told = Counter(
        (integration, state, step, address)
        for message_id, integration, state, step, address in installation.query(_TOLD)
        if message_id in arrived
    )
    message_ids = Counter(mail.message["Message-ID"] for mail in smtp.messages)
    effects = Counter(answer["id"] for answer in answers if answer["result"] != "duplicate")

    assert told == {
        (f"integration-{number}", *_TELLS[number % 3], recipient): 1
        for number in range(INTEGRATIONS)
        for recipient in RECIPIENTS
    }
    assert set(message_ids.values()) == {1}
    assert effects == {answer["id"]: 1 for answer in answers}


def _history(number: int) -> list[dict[str, Any]]:
    """Reports about an integration that end in the same incident in whatever order they come."""
    name = f"integration-{number}"
    match number % 3:
        case 0:
            return [failed(name, id=f"{name}-broken")]
        case 1:
            return [failed(name, ago=timedelta(days=8), id=f"{name}-long-broken")]
        case _:
            return [report("pending", name, ago=timedelta(hours=25), id=f"{name}-unfinished")]


_TELLS = [("failed", "alert"), ("failed", "reminder_7"), ("pending", "alert")]
_TOLD = """
SELECT email.message_id, integration.external_id, notice.state, notice.step, email.address
FROM email
JOIN email_notice ON email_notice.email_id = email.id AND NOT email_notice.released
JOIN notice ON notice.id = email_notice.notice_id
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
WHERE email.status = 'sent'"""
_CALL = """
INSERT INTO procrastinate_jobs (task_name, queue_name) VALUES ('engine:deliver', %s) RETURNING id"""
_CALLS = "SELECT id FROM procrastinate_jobs WHERE task_name = 'engine:deliver'"
