"""The mail that arrives, read by a real parser: what it says, and that it is correct (RFC 5322)."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

import pytest
from tests.acceptance.live import Live, of_type, subject
from tests.installation import failed, report
from tests.smtp_server import Received

FIX_URL = "https://app.platform.example/integrations/7?tab=sign-in&from=mail#fix"
REPORT = failed(
    "contacts",
    name="Größe & <b>Söhne</b> CRM",
    provider="HubSpot",
    reason={"code": "expired_login", "message": "Das Passwort wurde geändert: <neu anmelden>"},
    fix_url=FIX_URL,
)
REPORT["occurred_at"] = "2026-01-31T22:30:00Z"  # 23:30 in Berlin, which is Acme's zone


@pytest.fixture(scope="module")
def received(live: Live) -> Received:
    """Ada's mail about an integration of North that failed on 31 January 2026."""
    live.report(REPORT)
    live.settle()
    (mail,) = (mail for mail in live.mails("CRM") if mail.recipient == "ada@acme.example")
    return mail


@pytest.fixture(scope="module")
def mail(received: Received) -> EmailMessage:
    """The same, parsed; a defect is an error."""
    return message_from_bytes(received.data, policy=policy.SMTP.clone(raise_on_defect=True))


def test_it_has_no_defect_that_a_strict_parser_finds(mail: EmailMessage) -> None:
    headers = [header for part in mail.walk() for header in part.values()]

    assert [part.defects for part in mail.walk() if part.defects] == []
    assert [header.defects for header in headers if header.defects] == []


def test_no_line_is_longer_than_998_bytes_and_all_end_in_crlf(received: Received) -> None:
    lines = received.data.split(b"\r\n")

    assert max(map(len, lines)) <= 998
    assert b"\n" not in b"".join(lines)


def test_it_is_ascii_for_servers_without_8bitmime(received: Received) -> None:
    assert received.data.isascii()


def test_it_goes_from_the_platform_to_the_reader(received: Received, mail: EmailMessage) -> None:
    assert (received.sender, received.recipient) == (
        "alerts@platform.example",
        "ada@acme.example",
    )
    assert mail["From"] == "Integration Alerts <alerts@platform.example>"
    assert mail["To"] == "Ada <ada@acme.example>"
    assert "Bcc" not in mail


def test_its_subject_says_what_happened_to_whom(mail: EmailMessage) -> None:
    assert mail["Subject"] == "Last reminder: Größe & <b>Söhne</b> CRM for North is still broken"


def test_its_date_is_now(mail: EmailMessage) -> None:
    assert abs(datetime.now(UTC) - parsedate_to_datetime(mail["Date"])) < timedelta(minutes=2)


def test_its_message_id_is_of_the_senders_domain(mail: EmailMessage) -> None:
    assert mail["Message-ID"].startswith("<")
    assert mail["Message-ID"].endswith("@platform.example>")


def test_it_asks_for_no_automatic_answers(mail: EmailMessage) -> None:
    assert mail["Auto-Submitted"] == "auto-generated"


def test_it_is_text_with_html_as_the_better_alternative(mail: EmailMessage) -> None:
    assert mail.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize(
    "fact",
    [
        "Hello Ada",
        "North",
        "Größe & <b>Söhne</b> CRM",
        "HubSpot",
        "Das Passwort wurde geändert: <neu anmelden>",
        "31 January 2026, 23:30 (Europe/Berlin)",
        FIX_URL,
        "You get this mail because you have an integration alert.",
        "/alerts",
        "This is the last reminder.",
        "Acme",
    ],
)
def test_text_and_html_say_the_fact(mail: EmailMessage, fact: str) -> None:
    text, html = (part.get_content() for part in mail.iter_parts())

    assert fact in text
    assert _escaped(fact) in html


def test_what_comes_from_outside_is_never_markup(mail: EmailMessage) -> None:
    _, html = (part.get_content() for part in mail.iter_parts())

    assert "<b>Söhne" not in html
    assert "<neu" not in html


def test_a_line_break_in_a_name_makes_no_header(live: Live) -> None:
    live.report(failed("inject", name="Ads\r\nBcc: all@acme.example\r\n\r\nHello"))
    live.settle()

    headers = {frozenset(mail.message.keys()) for mail in live.mails("Hello")}
    assert headers == {
        frozenset({
            "From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe",
            "List-Unsubscribe-Post", "Auto-Submitted", "MIME-Version", "Content-Type",
        })
    }  # fmt: skip


def test_a_long_name_leaves_a_subject_that_says_what_happened(live: Live) -> None:
    live.report(failed("long", name="Long " * 400))
    live.settle()

    (about,) = {subject(mail) for mail in live.smtp.messages if "Long Long" in subject(mail)}
    assert len(about) < 70
    assert about.endswith("… for North stopped working")


def test_a_pending_mail_asks_to_finish_the_set_up(live: Live) -> None:
    live.report(report("pending", "unfinished", ago=timedelta(hours=25), fix_url=FIX_URL))
    live.settle()

    text, _ = live.mails("unfinished")[0].message.iter_parts()
    lines = text.get_content().splitlines()
    assert lines[lines.index("Finish the set-up:") + 1] == FIX_URL


def test_a_name_of_odd_characters_does_not_keep_the_mail_from_its_reader(live: Live) -> None:
    odd = of_type("user", id="odd", email="odd@acme.example", role="manager", companies=["south"])
    live.change(
        {**odd, "name": '\u202eOdd\u2028,;<>"\\' * 40},
        of_type("subscription", user="odd", companies="all"),
    )
    live.report(failed("beside-odd", company="south"))
    live.settle()

    assert live.recipients("beside-odd") == ["ada@acme.example", "odd@acme.example"]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
