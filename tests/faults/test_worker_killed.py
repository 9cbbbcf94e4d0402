"""A worker that is killed among its mails loses none, and doubles only those in flight (R24)."""

from collections import Counter, defaultdict

import pytest
from tests.acceptance.live import settle
from tests.installation import Installation, crowd, failed, ndjson
from tests.smtp_server import SmtpServer

MAILS = 500
CONCURRENCY = 10


@pytest.mark.long
def test_all_mails_arrive_and_only_those_in_flight_at_the_kill_may_arrive_twice(
    installation: Installation, smtp: SmtpServer
) -> None:
    installation.import_directory(crowd(MAILS))
    assert installation.command("report", "-", stdin=ndjson([failed()])).returncode == 0
    smtp.delay = 0.05
    worker = installation.worker("--concurrency", str(CONCURRENCY))
    smtp.wait_for_messages(MAILS // 3, timeout=60)

    worker.kill()
    worker.wait()

    begun = len(smtp.messages)
    assert begun < MAILS
    sent = {
        row[0] for row in installation.query("SELECT message_id FROM email WHERE status = 'sent'")
    }
    in_flight = {str(mail.message["Message-ID"]) for mail in smtp.messages} - sent
    smtp.delay = 0
    installation.worker("--concurrency", str(CONCURRENCY))
    settle(installation)

    copies = defaultdict(list)
    for mail in smtp.messages:
        copies[str(mail.message["Message-ID"])].append((mail.recipient, mail.data))
    twice = {message_id for message_id, received in copies.items() if len(received) > 1}
    assert len(copies) == MAILS
    assert len(in_flight) <= CONCURRENCY
    assert twice == in_flight
    assert [received for received in copies.values() if len(set(received)) > 1] == []
    assert max(len(received) for received in copies.values()) <= 2
    assert _statuses(installation) == {"sent": MAILS}


def _statuses(installation: Installation) -> Counter[str]:
    return Counter(status for (status,) in installation.query("SELECT status FROM email"))
