"""Mail over STARTTLS with a password, to a server whose certificate is verified (R25)."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from tests.installation import Installation, failed, ndjson, wait_for
from tests.smtp_server import SmtpServer

USER, PASSWORD = "alerts", "p@ss/word: 100%"
CREDENTIALS = "alerts:p%40ss%2Fword%3A%20100%25"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that no system knows."""
    return trustme.CA()


@pytest.fixture
def smtp(authority: trustme.CA) -> Iterator[SmtpServer]:
    """A server that takes mail over TLS only, from those who know the password."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with SmtpServer(
        tls_context=context, require_starttls=True, auth=(USER, PASSWORD)
    ) as server:  # fmt: skip
        yield server


@pytest.fixture
def trusting(installation: Installation, authority: trustme.CA, tmp_path: Path) -> Installation:
    """An installation whose environment trusts the authority, as OpenSSL reads it."""
    bundle = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(bundle))
    installation.environment["SSL_CERT_FILE"] = str(bundle)
    return installation


def test_mail_arrives_over_starttls_with_the_password(
    trusting: Installation, smtp: SmtpServer
) -> None:
    _send_one(trusting, f"smtp://{CREDENTIALS}@127.0.0.1:{smtp.port}?tls=required")

    assert {mail.recipient for mail in smtp.wait_for_messages(2)} == {
        "ada@acme.example",
        "max@acme.example",
    }


def test_check_signs_in_over_starttls(trusting: Installation, smtp: SmtpServer) -> None:
    trusting.environment["EMAIL_URL"] = f"smtp://{CREDENTIALS}@127.0.0.1:{smtp.port}"

    assert f"ok   mail: 127.0.0.1:{smtp.port} would take mail" in trusting.command("check").stdout


def test_a_server_with_an_unknown_certificate_gets_neither_password_nor_mail(
    installation: Installation, smtp: SmtpServer
) -> None:
    _send_one(installation, f"smtp://{CREDENTIALS}@127.0.0.1:{smtp.port}")

    wait_for(lambda: _circuit(installation), what="the worker to see that no mail can go")
    assert _circuit(installation) == [("tls", None)]
    assert "AUTH" not in smtp.commands
    assert smtp.messages == []
    waiting = [("queued", 0)] * 2
    wait_for(
        lambda: installation.query("SELECT status, attempts FROM email") == waiting,
        what="both mails to wait",
    )
    assert installation.query("SELECT count(*) FROM delivery_attempt") == [(0,)]


def _send_one(installation: Installation, email_url: str) -> None:
    installation.environment["EMAIL_URL"] = email_url
    installation.command("report", "-", stdin=ndjson([failed()]))
    installation.worker()


def _circuit(installation: Installation) -> list[tuple[object, ...]]:
    return installation.query("SELECT phase, code FROM mailer_circuit")
