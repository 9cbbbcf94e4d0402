"""A service manager tells every process to stop at once, as systemd does by default (R24)."""

import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest
from tests.acceptance.live import settle
from tests.acceptance.processes import processes_of
from tests.installation import PATIENCE, Installation, crowd, failed
from tests.smtp_server import SmtpServer

MAILS = 20


@pytest.mark.long
def test_no_mail_is_lost_or_sent_twice(tmp_path: Path, smtp: SmtpServer) -> None:
    home = Installation(tmp_path, None, EMAIL_URL=smtp.url)
    try:
        address = home.web("run")
        home.import_directory(crowd(MAILS))
        smtp.delay = 1
        home.post(address, "reports", [failed()])
        smtp.wait_for_messages(3)

        for process in processes_of(tmp_path):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)

        assert home.processes[0].wait(PATIENCE) == 0
        smtp.delay = 0
        home.web("run")
        settle(home)
    finally:
        home.close()
    assert len({mail.message["Message-ID"] for mail in smtp.messages}) == MAILS
    assert len(smtp.messages) == MAILS
