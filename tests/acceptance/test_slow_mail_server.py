"""A mail server that takes its time holds up one mail of each slot, not the ones behind it."""

from tests.installation import Installation, crowd, failed, ndjson
from tests.smtp_server import SmtpServer

SLOTS = 4


def test_as_many_mails_as_there_are_slots_are_under_way_at_once(
    installation: Installation, smtp: SmtpServer
) -> None:
    installation.import_directory(crowd(SLOTS))
    installation.command("report", "-", stdin=ndjson([failed()]))
    smtp.delay = 5

    installation.worker("--concurrency", str(SLOTS))

    smtp.wait_for_messages(1)
    smtp.wait_for_messages(SLOTS, timeout=4)  # before the first one has its answer
    smtp.down()
