"""One failed report by the API becomes a mail in a real SMTP server."""

import time

from tests.installation import Installation, failed
from tests.smtp_server import SmtpServer


def test_the_mail_is_in_the_smtp_server_within_a_second(
    installation: Installation, smtp: SmtpServer
) -> None:
    address = installation.web()
    installation.worker()

    began = time.monotonic()
    reply = installation.post(address, "reports", [failed()])
    smtp.wait_for_messages(2)
    seconds = time.monotonic() - began

    assert reply.json[0]["result"] == "applied"
    assert sorted(message.recipient for message in smtp.messages) == [
        "ada@acme.example", "max@acme.example",
    ]  # fmt: skip
    assert seconds < 1.0
