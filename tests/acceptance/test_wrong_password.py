"""A wrong password for the mail server: told everywhere, costs no mail, goes away at once."""

import pytest
from tests.installation import Installation, failed, get, ndjson, wait_for
from tests.smtp_server import SmtpServer


@pytest.fixture
def guarded() -> SmtpServer:
    """A server that asks for a password."""
    return SmtpServer(auth=("alerts", "right"))


def test_mail_waits_while_the_password_is_wrong_and_goes_once_it_is_right(
    installation: Installation, guarded: SmtpServer
) -> None:
    with guarded:
        url = f"smtp://alerts:{{}}@127.0.0.1:{guarded.port}"
        installation.environment["EMAIL_URL"] = url.format("wr0ng-w0rd")
        installation.environment["GROUP_WAIT"] = "0"
        address = installation.web()
        worker = installation.worker()
        installation.command("report", "-", stdin=ndjson([failed()]))

        wait_for(lambda: "since" in get(f"{address}/readyz").json["mail"], what="readyz to say so")
        assert get(f"{address}/readyz").status == 503
        assert get(f"{address}/healthz").status == 200
        (tell,) = (
            line for line in installation.command("check").stdout.splitlines() if "delivery" in line
        )
        assert tell.startswith("FAIL delivery: no mail is sent since ")
        assert "535" in tell
        waiting = [("queued", 0)] * 2
        wait_for(
            lambda: installation.query("SELECT status, attempts FROM email") == waiting,
            what="both mails to wait",
        )
        assert installation.query("SELECT count(*) FROM delivery_attempt") == [(0,)]

        worker.terminate()
        worker.wait(20)
        installation.environment["EMAIL_URL"] = url.format("right")
        installation.worker()
        assert len(guarded.wait_for_messages(2)) == 2
        wait_for(lambda: get(f"{address}/readyz").status == 200, what="readyz to be content")
    assert "wr0ng-w0rd" not in installation.logs()
