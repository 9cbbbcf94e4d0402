"""A worker that is told to stop finishes the mails in flight; the next one sends the rest (R24)."""

import signal
from collections import Counter

import pytest
from tests.acceptance.live import settle
from tests.installation import PATIENCE, Installation, crowd, failed, ndjson
from tests.smtp_server import SmtpServer

CONCURRENCY = 4
MAILS = 24


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_mails_in_flight_are_finished_and_none_is_sent_twice(
    number: signal.Signals, installation: Installation, smtp: SmtpServer
) -> None:
    installation.import_directory(crowd(MAILS))
    assert installation.command("report", "-", stdin=ndjson([failed()])).returncode == 0
    smtp.delay = 0.7
    worker = installation.worker("--concurrency", str(CONCURRENCY))
    smtp.wait_for_messages(CONCURRENCY)

    worker.send_signal(number)

    assert worker.wait(PATIENCE) == 0
    assert installation.workers() == 0
    begun = len(smtp.messages)
    assert CONCURRENCY <= begun < MAILS
    assert _statuses(installation) == {"sent": begun, "queued": MAILS - begun}

    smtp.delay = 0
    installation.worker()
    settle(installation)
    copies = Counter(mail.message["Message-ID"] for mail in smtp.messages)
    assert len(copies) == MAILS
    assert set(copies.values()) == {1}


def _statuses(installation: Installation) -> Counter[str]:
    return Counter(status for (status,) in installation.query("SELECT status FROM email"))
