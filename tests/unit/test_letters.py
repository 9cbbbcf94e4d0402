"""What a mail says, and the bytes it is (SPEC R6, R9; RFC 5322)."""

import email
from datetime import UTC, datetime
from email.policy import strict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integration_alerts.mail.letters import SUBJECT_LIMIT, Letter, NoticeFacts, one_line, shorten
from integration_alerts.mail.rendering import render
from integration_alerts.rules.schedule import STEPS, Step
from integration_alerts.rules.states import State

SINCE = datetime(2026, 5, 3, 7, 12, tzinfo=UTC)
MESSAGE_ID = "<6f1c@platform.example>"


def letter(**more: object) -> Letter:
    facts = {
        "state": State.FAILED, "step": Step.ALERT, "since": SINCE, "integration": "Google Ads",
        "provider": "google", "company": "North", "reason_code": "expired_login",
        "reason_message": "Its sign-in has expired", "fix_url": "https://app.example/fix?a=1&b=2",
    }  # fmt: skip
    notice = {key: more.pop(key) for key in list(more) if key in facts}
    reader = {
        "account": "Acme", "reader": "Max", "time_zone": "Europe/Berlin", "origin": "member",
        "manage_url": "https://alerts.example/alerts",
    }  # fmt: skip
    return Letter(notice=NoticeFacts(**{**facts, **notice}), **{**reader, **more})  # type: ignore[arg-type]


def message(of: Letter, address: str = "max@acme.example") -> bytes:
    return render(
        of, sender="Alerts <alerts@platform.example>", address=address,
        message_id=MESSAGE_ID, date=SINCE,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("state", "step", "subject"),
    [
        (State.FAILED, Step.ALERT, "Google Ads for North stopped working"),
        (State.PENDING, Step.ALERT, "Google Ads for North is not set up yet"),
        (State.FAILED, Step.REMINDER_7, "Google Ads for North is still broken after 7 days"),
        (State.PENDING, Step.REMINDER_14, "Google Ads for North is still not set up after 14 days"),
        (State.FAILED, Step.REMINDER_21, "Last reminder: Google Ads for North is still broken"),
    ],
)
def test_the_subject_says_what_happened(state: State, step: Step, subject: str) -> None:
    assert letter(state=state, step=step).subject == subject


@given(name=st.text(max_size=500), company=st.text(max_size=500), step=st.sampled_from(STEPS))
def test_no_name_makes_a_subject_long_or_break_its_line(
    name: str, company: str, step: Step
) -> None:
    for state in (State.FAILED, State.PENDING):
        subject = letter(integration=name, company=company, step=step, state=state).subject
        assert len(subject) < SUBJECT_LIMIT
        assert subject.isprintable()


@pytest.mark.parametrize(
    ("step", "outlook"),
    [
        (Step.ALERT, "If nothing changes, you get a reminder on day 7."),
        (Step.REMINDER_7, "If nothing changes, you get a reminder on day 14."),
        (Step.REMINDER_14, "If nothing changes, you get a reminder on day 21."),
        (Step.REMINDER_21, "This is the last reminder. It stays listed until it is fixed."),
    ],
)
def test_it_says_what_comes_next(step: Step, outlook: str) -> None:
    assert letter(step=step).outlook == outlook


def test_since_when_is_told_in_the_readers_time_zone() -> None:
    assert letter().since == "3 May 2026, 09:12 (Europe/Berlin)"
    assert letter(time_zone="Asia/Tokyo").since == "3 May 2026, 16:12 (Asia/Tokyo)"


@pytest.mark.parametrize(
    ("code", "words", "reason"),
    [
        ("expired", "Sign in again", "Sign in again (expired)"),
        ("expired", "", "(expired)"),
        ("", "Sign in again", "Sign in again"),
        ("", "", ""),
    ],
)
def test_the_reason_is_told_as_reported(code: str, words: str, reason: str) -> None:
    assert letter(reason_code=code, reason_message=words).reason == reason


def test_it_says_why_the_reader_gets_it() -> None:
    assert "because you activated an integration" in letter(origin="automatic").why
    assert "because you have an integration alert" in letter(origin="platform").why


def test_both_parts_say_everything() -> None:
    parsed = email.message_from_bytes(message(letter()), policy=strict)
    assert parsed["From"] == "Alerts <alerts@platform.example>"
    assert parsed["To"] == "Max <max@acme.example>"
    assert parsed["Message-ID"] == MESSAGE_ID
    assert parsed["Date"].datetime == SINCE
    assert parsed["Auto-Submitted"] == "auto-generated"
    text = parsed.get_body(("plain",)).get_content()
    html = parsed.get_body(("html",)).get_content()
    for words in (
        "Google Ads", "North", "google", "on 3 May 2026, 09:12 (Europe/Berlin)",
        "Its sign-in has expired (expired_login)", "https://alerts.example/alerts", "Acme", "Max",
        "Reconnect it", "a reminder on day 7", "because you have an integration alert",
    ):  # fmt: skip
        assert words in text
        assert words in html
    assert "https://app.example/fix?a=1&b=2" in text
    assert 'href="https://app.example/fix?a=1&amp;b=2"' in html


def test_without_a_fix_link_it_says_where_to_look() -> None:
    parsed = email.message_from_bytes(message(letter(fix_url="")), policy=strict)
    for kind in ("plain", "html"):
        assert "in the settings of North" in parsed.get_body((kind,)).get_content()


def test_a_pending_integration_is_to_be_finished() -> None:
    assert letter(state=State.PENDING).action == "Finish the set-up"
    assert letter(state=State.PENDING).headline == (
        "The set-up of Google Ads for North was begun on 3 May 2026, 09:12 (Europe/Berlin) "
        "and is not finished."
    )


def test_a_reminder_says_for_how_long() -> None:
    assert "for more than 14 days" in letter(step=Step.REMINDER_14).reminder
    assert letter().reminder == ""


HOSTILE = [
    "Ads\r\nBcc: x@evil.example", "<script>alert(1)</script>", "\u202eevil\u202c", "🔥" * 60,
    "=?utf-8?q?=0D=0ABcc:_evil@evil.example?=", "=?utf-8?q?=0D=0A=0D=0Abody?=", "=?utf-8?q?hello?=",
    'quote " and \\ back', "ä" * 500, "a,b;c:d<e>", "\x00\x1b[31m", "",
]  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_text(name: str) -> None:
    raw = message(letter(integration=name, company=name, account=name, reader=name))
    parsed = email.message_from_bytes(raw, policy=strict)
    assert not parsed.defects
    assert parsed["Bcc"] is None
    assert [address.addr_spec for address in parsed["To"].addresses] == ["max@acme.example"]
    assert "<script>" not in parsed.get_body(("html",)).get_content()
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert raw == message(letter(integration=name, company=name, account=name, reader=name))


def test_what_looks_like_an_encoded_word_stays_what_it_looks_like() -> None:
    parsed = email.message_from_bytes(message(letter(company="=?utf-8?q?hello?=")), policy=strict)
    assert parsed["Subject"] == "Google Ads for = ?utf-8?q?hello?= stopped working"


@given(name=st.text(max_size=200))
def test_any_name_makes_a_message_without_defects(name: str) -> None:
    raw = message(letter(integration=name, company=name, reader=name, reason_message=name))
    parsed = email.message_from_bytes(raw, policy=strict)
    assert not any(part.defects for part in parsed.walk())


@pytest.mark.parametrize(
    ("address", "header"),
    [
        ("info@münchen.example", b"info@xn--mnchen-3ya.example"),
        ("jörg@acme.example", "jörg@acme.example".encode()),
    ],
)
def test_international_addresses_are_written_as_servers_take_them(
    address: str, header: bytes
) -> None:
    assert b"To: Max <" + header + b">" in message(letter(), address=address)


def test_a_line_break_in_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="address"):
        message(letter(), address="max@acme.example\r\nBcc: x@evil.example")


@pytest.mark.parametrize(
    ("text", "line"), [("a\n b\t c ", "a b c"), ("\u2028x\x00y", "x y"), ("", "")]
)
def test_text_from_outside_becomes_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_shortening_shows_that_something_is_missing() -> None:
    assert shorten("abcdef", 4) == "abc…"
    assert shorten("abcd", 4) == "abcd"
