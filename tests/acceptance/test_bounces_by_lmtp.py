"""A mail goes out with its own return path, comes back to it by LMTP, and the address is known."""

import re
import smtplib
import socket

import psycopg
import pytest
from psycopg import sql
from tests.bouncing import returned
from tests.database import SERVER
from tests.installation import Installation, failed, free_port, ndjson, post, wait_for
from tests.smtp_server import Received, SmtpServer

from integration_alerts.mail.dsn import LARGEST


class Desk:
    """The running command `bounces`."""

    def __init__(self, installation: Installation) -> None:
        self.port = free_port()
        self.process = installation.start("bounces", "--bind", f"127.0.0.1:{self.port}")
        wait_for(self._listens, what=lambda: f"the command to listen\n{installation.logs()}")

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def client(self) -> smtplib.LMTP:
        """A mail server that hands over."""
        return smtplib.LMTP("127.0.0.1", self.port, local_hostname="mail.platform.example")

    def hand_over(self, raw: bytes, recipient: str) -> tuple[int, str]:
        """The answer to a whole message."""
        with self.client() as client:
            client.ehlo_or_helo_if_needed()
            assert client.mail("")[0] == 250
            assert client.rcpt(recipient)[0] == 250
            code, words = client.data(raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
            return code, words.decode()


@pytest.fixture
def sent(installation: Installation, smtp: SmtpServer) -> Received:
    """A mail to Max that the server has accepted."""
    installation.environment |= {
        "BOUNCE_ADDRESS": "bounces@alerts.example", "GROUP_WAIT": "0", "GROUP_INTERVAL": "0",
    }  # fmt: skip
    assert installation.command("report", "-", stdin=ndjson([failed()])).returncode == 0
    installation.worker()
    (mail,) = (m for m in smtp.wait_for_messages(2) if m.recipient == "max@acme.example")
    wait_for(lambda: not statuses(installation) - {"sent"}, what="both mails to be noted as sent")
    return mail


def statuses(installation: Installation) -> set[str]:
    return {str(row[0]) for row in installation.query("SELECT status FROM email")}


def suppressed(installation: Installation) -> list[tuple[object, ...]]:
    return installation.query("SELECT address, kind, lifted_at FROM suppression")


def test_a_mail_comes_back_by_lmtp(installation: Installation, sent: Received) -> None:
    assert re.fullmatch(r"bounces\+[0-9]+-[a-z2-7]{20}@alerts\.example", sent.sender)
    desk = Desk(installation)
    answer = desk.hand_over(returned("out-of-office", sent.sender), sent.sender)
    assert answer == (250, "2.0.0 ignored")
    raw = returned("postfix-unknown-user", sent.sender)
    assert desk.hand_over(raw, sent.sender) == (250, "2.0.0 recorded")
    assert desk.hand_over(raw, sent.sender) == (250, "2.0.0 duplicate")
    assert statuses(installation) == {"sent", "bounced"}
    assert suppressed(installation) == [("max@acme.example", "hard", None)]


def test_a_mail_comes_back_by_http(installation: Installation, sent: Received) -> None:
    web = installation.web()
    raw = returned("gmail-unknown-user", sent.sender)
    reply = post(f"{web}/api/v1/bounces", raw, installation.key(), "message/rfc822")
    assert reply.json == {"result": "recorded"}
    assert suppressed(installation) == [("max@acme.example", "hard", None)]


def test_only_signed_addresses_take_mail_and_one_at_a_time(
    installation: Installation, sent: Received
) -> None:
    desk = Desk(installation)
    with desk.client() as client:
        client.ehlo_or_helo_if_needed()
        client.mail("spam@stranger.example")
        forged = sent.sender.replace("@", "a@")
        for address in ("bounces@alerts.example", "max@acme.example", forged):
            code, words = client.rcpt(address)
            assert (code, words[:5]) == (550, b"5.1.1"), address
        assert client.docmd("DATA")[0] == 503
        assert client.rcpt(sent.sender)[0] == 250
        assert client.rcpt(sent.sender)[0] == 452
    assert statuses(installation) == {"sent"}


def test_a_megabyte_is_the_most_and_lines_may_be_longer_than_mail_allows(
    installation: Installation, sent: Received
) -> None:
    desk = Desk(installation)
    line = b"x" * 100 + b"\r\n"
    code, _ = desk.hand_over(line * (LARGEST // len(line) + 1), sent.sender)
    assert code == 552
    raw = returned("postfix-unknown-user", sent.sender)
    raw = raw.replace(b"This is the mail system", b"x" * 5000 + b"\nThis is the mail system")
    assert desk.hand_over(raw, sent.sender) == (250, "2.0.0 recorded")


def test_while_the_database_is_away_the_mail_server_is_asked_to_come_again(
    installation: Installation, sent: Received
) -> None:
    for process in installation.processes:  # what they say of a lost database is another matter
        process.terminate()
        process.wait(30)
    desk = Desk(installation)
    raw = returned("exim-unknown-user", sent.sender)
    name = str(psycopg.conninfo.conninfo_to_dict(installation.database_url or "")["dbname"])
    _allow_connections(name, allowed=False)
    try:
        code, words = desk.hand_over(raw, sent.sender)
    finally:
        _allow_connections(name, allowed=True)
    assert (code, words) == (451, "4.3.0 the database is away; try again")
    assert desk.hand_over(raw, sent.sender) == (250, "2.0.0 recorded")


def test_it_stops_cleanly_when_it_is_told_to(installation: Installation, sent: Received) -> None:
    desk = Desk(installation)
    with desk.client() as idle:
        idle.ehlo_or_helo_if_needed()
        desk.process.terminate()
        assert desk.process.wait(10) == 0


def test_without_a_bounce_address_it_says_so(installation: Installation) -> None:
    done = installation.command("bounces", "--bind", f"127.0.0.1:{free_port()}")
    assert done.returncode == 2
    assert done.stderr.startswith("integration-alerts: BOUNCE_ADDRESS: not set")


def _allow_connections(name: str, *, allowed: bool) -> None:
    with psycopg.connect(**{**SERVER.conninfo, "dbname": "postgres"}, autocommit=True) as server:
        server.execute(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(
                sql.Identifier(name), sql.Literal(allowed)
            )
        )
        if not allowed:
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
            )
