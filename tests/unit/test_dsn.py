"""Reading returned mails: what servers' formats say, and what is no bounce (RFC 3464, 5965)."""

import time
from pathlib import Path

import pytest

from integration_alerts.mail import dsn
from integration_alerts.mail.dsn import NoBounce, Report
from integration_alerts.rules.suppression import BounceKind, Fault

FOLDER = Path(__file__).parents[1] / "data" / "bounces"
HARD, SOFT = BounceKind.HARD, BounceKind.SOFT

FAILED = {
    "postfix-unknown-user": (HARD, Fault.NO_MAILBOX, "5.1.1"),
    "postfix-no-codes": (HARD, Fault.NO_MAILBOX, "5.0.0"),
    "postfix-no-domain": (HARD, Fault.NO_DOMAIN, "5.4.4"),
    "postfix-mailbox-full": (SOFT, Fault.FULL, "5.2.2"),
    "postfix-too-large": (SOFT, Fault.TOO_LARGE, "5.3.4"),
    "postfix-policy": (SOFT, Fault.REFUSED, "5.7.1"),
    "postfix-given-up": (SOFT, Fault.UNDELIVERABLE, "4.4.1"),
    "exim-unknown-user": (HARD, Fault.NO_MAILBOX, "5.1.1"),
    "exim-unrouteable": (HARD, Fault.NO_MAILBOX, "5.0.0"),
    "exim-retry-time-exceeded": (SOFT, Fault.UNDELIVERABLE, "4.3.0"),
    "exim-plain-text": (HARD, Fault.NO_MAILBOX, "5.1.1"),
    "exchange-unknown-user": (HARD, Fault.NO_MAILBOX, "5.1.10"),
    "exchange-edge": (HARD, Fault.NO_MAILBOX, "5.4.1"),
    "exchange-mailbox-full": (SOFT, Fault.FULL, "5.2.2"),
    "exchange-restricted": (SOFT, Fault.REFUSED, "5.7.133"),
    "gmail-unknown-user": (HARD, Fault.NO_MAILBOX, "5.1.1"),
    "gmail-over-quota": (SOFT, Fault.FULL, "5.2.2"),
    "gmail-disabled": (HARD, Fault.DISABLED, "5.2.1"),
    "gmail-too-quickly": (SOFT, Fault.REFUSED, "5.2.1"),
    "qmail-unknown-user": (HARD, Fault.NO_MAILBOX, "5.1.1"),
    "internationalised": (HARD, Fault.NO_MAILBOX, "5.1.1"),
}
NO_BOUNCES = {
    "postfix-delayed": NoBounce.NOT_FAILED,
    "postfix-delivered": NoBounce.NOT_FAILED,
    "gmail-delayed": NoBounce.NOT_FAILED,
    "exim-plain-text-warning": NoBounce.NO_REPORT,
    "complaint-withdrawn": NoBounce.NOT_FAILED,
    "out-of-office": NoBounce.NO_REPORT,
}


def sample(name: str) -> bytes:
    return (FOLDER / f"{name}.eml").read_bytes()


@pytest.mark.parametrize(("name", "expected"), FAILED.items(), ids=FAILED)
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"], ids=["LF", "CRLF"])
def test_a_failed_delivery(
    name: str, expected: tuple[BounceKind, Fault, str], line_end: bytes
) -> None:
    report = dsn.read(sample(name).replace(b"\n", line_end))
    assert isinstance(report, Report)
    assert (report.kind, report.fault, report.status) == expected
    assert "\n" not in report.diagnostic


@pytest.mark.parametrize(("name", "expected"), NO_BOUNCES.items(), ids=NO_BOUNCES)
def test_what_is_no_bounce(name: str, expected: NoBounce) -> None:
    assert dsn.read(sample(name)) is expected


def test_a_complaint() -> None:
    assert dsn.read(sample("complaint")) == dsn.complaint("arf")


def test_every_sample_is_in_a_table() -> None:
    assert {path.stem for path in FOLDER.glob("*.eml")} == {*FAILED, *NO_BOUNCES, "complaint"}


def test_the_words_of_the_server_are_kept_in_one_line() -> None:
    report = dsn.read(sample("postfix-unknown-user"))
    assert isinstance(report, Report)
    words = (
        "550 5.1.1 <max@acme.example>: Recipient address rejected: "
        "User unknown in virtual mailbox table"
    )
    assert report.diagnostic == words
    assert report.reason == f"the mailbox does not exist ({words})"


def test_what_the_returned_mail_says_is_not_taken_for_the_servers_words() -> None:
    report = dsn.read(sample("exim-plain-text"))
    assert isinstance(report, Report)
    assert "quota" not in report.diagnostic


def test_of_several_recipients_the_one_whose_mailbox_is_gone_counts() -> None:
    full = sample("postfix-mailbox-full")
    group = b"\nFinal-Recipient: rfc822; b@acme.example\nAction: failed\nStatus: 5.1.1\n"
    both = full.replace(b"Quota\n    exceeded\n", b"Quota\n    exceeded\n" + group, 1)
    report = dsn.read(both)
    assert isinstance(report, Report)
    assert report.kind is HARD


def test_an_encoded_report_is_read() -> None:
    raw = sample("postfix-unknown-user").replace(
        b"message/delivery-status\nContent-Transfer-Encoding: 8bit",
        b"message/delivery-status\nContent-Transfer-Encoding: quoted-printable",
    )
    report = dsn.read(raw.replace(b"Action: failed", b"Action: fai=\nled"))
    assert isinstance(report, Report)
    assert report.status == "5.1.1"


@pytest.mark.parametrize("name", ["complaint", "postfix-unknown-user", "exchange-edge"])
def test_the_address_that_it_came_to_is_found_in_the_message(name: str) -> None:
    raw = sample(name).replace(b"RETURN_PATH", b"bounces+1-x@alerts.example")
    assert "bounces+1-x@alerts.example" in dsn.recipients(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\0\xff\n\n\n",
        b"Content-Type: multipart/report\n\nno boundary",
        b"Content-Type: multipart/report; boundary=x\n\n--x\n"
        b"Content-Type: message/feedback-report\n",
        b"X-Failed-Recipients: a@b.example\n\n",
        b"".join(b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n)
                 for n in range(2000)),
        b"Content-Type: message/rfc822\n\n" * 5000,
    ],
    ids=["empty", "binary", "no boundary", "empty complaint", "no text", "deeply nested",
         "mails in mails"],
)  # fmt: skip
def test_rubbish_is_no_bounce(raw: bytes) -> None:
    assert isinstance(dsn.read(raw), NoBounce)
    assert isinstance(dsn.recipients(raw), list)


def _report(told: bytes, status: bytes) -> bytes:
    return (
        b"Content-Type: multipart/report; boundary=b\n\n--b\n\nPermanent error, failed:\n"
        + told
        + b"\n--b\nContent-Type: message/delivery-status\n\n"
        + status
        + b"\n--b--\n"
    )


_NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=%d\n\n--%d\n" % (n, n) for n in range(800)
)


@pytest.mark.parametrize(
    "raw",
    [
        b"To: " + b"a" * 1_000_000 + b"\n\n",
        b'Content-Type: multipart/report; a="' + b";" * 1_000_000 + b"\n\n",
        _NESTED + b"--\n" * 300_000,
        _report(b"550 no " * 40_000, b"Action: failed\n\n" * 40_000),
        _report(b"", b"Action: failed\n\n" * 60_000),
    ],
    ids=["a long address", "a long parameter", "parts in parts", "long words", "many recipients"],
)
def test_no_message_takes_long(raw: bytes) -> None:
    begun = time.process_time()
    dsn.recipients(raw)
    dsn.read(raw)
    assert time.process_time() - begun < 2


def test_a_report_is_read_although_a_large_mail_is_returned_with_it() -> None:
    raw = sample("postfix-unknown-user") + b"x" * 1_000_000
    report = dsn.read(raw)
    assert isinstance(report, Report)
    assert report.status == "5.1.1"
