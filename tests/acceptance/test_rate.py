"""Two workers with a limit hand mails over as fast as they may, and no faster."""

import time

from tests.installation import DIRECTORY, Installation, failed, ndjson
from tests.smtp_server import SmtpServer

PEOPLE = 22
RATE = 5


def test_two_workers_keep_the_rate_and_waste_no_time(
    installation: Installation, smtp: SmtpServer
) -> None:
    installation.environment |= {
        "GROUP_WAIT": "0", "MAIL_RATE": "100", "MAIL_RATE_PER_DOMAIN": f"slow.example={RATE}",
    }  # fmt: skip
    installation.import_directory([*DIRECTORY, *_people()])
    for _ in range(2):
        installation.worker("--concurrency", "3")
    installation.command("report", "-", stdin=ndjson([failed()]))
    smtp.wait_for_messages(1)
    began = time.monotonic()
    received = smtp.wait_for_messages(PEOPLE + 2)
    took = time.monotonic() - began

    others = [number for number, mail in enumerate(received) if "acme" in mail.recipient]
    assert others[-1] < RATE + 4, "mails to other domains waited for those that are limited"
    shortest = (PEOPLE - RATE) / RATE  # what the burst does not cover
    assert shortest * 0.9 < took < shortest + 4


def _people() -> list[dict[str, object]]:
    lines: list[dict[str, object]] = []
    for number in range(PEOPLE):
        lines += [
            {
                "type": "user", "account": "acme", "id": f"p{number}", "name": f"P {number}",
                "email": f"p{number}@slow.example", "role": "administrator",
            },
            {
                "type": "subscription", "account": "acme", "user": f"p{number}",
                "companies": "all",
            },
        ]  # fmt: skip
    return lines
