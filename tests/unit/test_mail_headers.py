"""The header of a mail as it is on the wire (RFC 5322, RFC 2047, RFC 2919, RFC 8058)."""

import email
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import strict
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.golden_mails import HOSTILE, envelope, hostile

from integration_alerts.mail.brand import Brand
from integration_alerts.mail.headers import Envelope, Names, header
from integration_alerts.mail.letters import Letter
from integration_alerts.mail.rendering import render
from integration_alerts.mail.samples import letter, notice

DATE = datetime(2026, 5, 3, 9, 12, tzinfo=UTC)
SENDER = "Alerts <alerts@platform.example>"


def message(of: Letter, address: str = "max@acme.example", **more: Any) -> bytes:
    sent = {"sender": SENDER, "message_id": "<6f1c@platform.example>", "account_id": 12, **more}
    return render(of, Envelope(address=address, **sent))


def parsed(raw: bytes) -> EmailMessage:
    return cast("EmailMessage", email.message_from_bytes(raw, policy=strict))


def test_it_has_everything_that_mail_programs_ask_for() -> None:
    mail = parsed(message(letter(notice())))
    assert mail["From"] == "Alerts <alerts@platform.example>"
    assert mail["To"] == "Max Fischer <max@acme.example>"
    assert mail["Message-ID"] == "<6f1c@platform.example>"
    assert mail["Date"].datetime == DATE
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Id"] == "Lantern Agency <alerts.account-12.platform.example>"
    assert mail["List-Unsubscribe"] == "<https://alerts.example/unsubscribe/7.Zm9yLXNhbXBsZXM>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["In-Reply-To"] is None


def test_a_brand_has_its_name_and_its_address_for_answers() -> None:
    brand = Brand.of("Lantern", "", "", "help@lantern.example")
    mail = parsed(message(letter(notice(), brand=brand)))
    assert mail["From"] == "Lantern <alerts@platform.example>"
    assert mail["Reply-To"] == "Lantern <help@lantern.example>"


def test_a_mail_follows_the_first_and_the_latest_of_its_thread() -> None:
    earlier = [f"<{number}@platform.example>" for number in range(30)]
    mail = parsed(message(letter(notice()), earlier=earlier))
    assert mail["In-Reply-To"] == "<29@platform.example>"
    assert mail["References"].split() == [earlier[0], *earlier[-9:]]


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("Max Fischer", b"To: Max Fischer <max@acme.example>"),
        ("Fischer, Max", b'To: "Fischer, Max" <max@acme.example>'),
        ('Max "M" \\', b'To: "Max \\"M\\" \\\\" <max@acme.example>'),
        ("", b"To: <max@acme.example>"),
        ("J\u00f6rg", b"To: =?utf-8?b?SsO2cmc=?= <max@acme.example>"),
    ],
)
def test_names_are_written_as_they_must_be(name: str, field: bytes) -> None:
    assert field in message(letter(notice(), reader=name)).split(b"\r\n")


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_hostile_names_add_no_header_and_no_recipient(name: str) -> None:
    mail = parsed(render(hostile(name), envelope()))
    assert [address.addr_spec for address in mail["To"].addresses] == ["max@acme.example"]
    assert [address.addr_spec for address in mail["From"].addresses] == ["alerts@platform.example"]
    assert mail["Bcc"] is None
    assert mail["Reply-To"] is None


def test_what_looks_like_an_encoded_word_stays_what_it_looks_like() -> None:
    mail = parsed(message(letter(notice(company_name="=?utf-8?q?hello?="))))
    assert mail["Subject"] == "Google Ads for = ?utf-8?q?hello?= stopped working"


@given(name=st.text(max_size=200))
def test_any_name_makes_a_mail_without_defects(name: str) -> None:
    facts = {"integration": name, "company_name": name, "reason_message": name}
    mail = parsed(message(letter(notice(**facts), reader=name, account=name)))
    assert not any(part.defects for part in mail.walk())
    assert not any(value.defects for value in mail.values())


@pytest.mark.parametrize(
    ("address", "field"),
    [
        ("info@m\u00fcnchen.example", b"info@xn--mnchen-3ya.example"),
        ("j\u00f6rg@acme.example", "j\u00f6rg@acme.example".encode()),
    ],
)
def test_international_addresses_are_written_as_servers_take_them(
    address: str, field: bytes
) -> None:
    assert b"To: Max Fischer <" + field + b">" in message(letter(notice()), address)


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "max@acme.example\r\nBcc: x@evil.example"},
        {"message_id": "<broken\nid@platform.example>"},
        {"message_id": "none"},
        {"earlier": ["<a@b>\r\nBcc: x@evil.example"]},
    ],
)
def test_what_would_break_a_header_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"address|Message-ID"):
        message(letter(notice()), **wrong)


def test_a_link_that_would_break_a_header_is_refused() -> None:
    names = Names("", "Max", "Acme", "Hello", "", "https://alerts.example/\r\nBcc: x@evil.example")
    with pytest.raises(ValueError, match="List-Unsubscribe cannot hold"):
        header(names, envelope(), DATE)


def test_a_sender_of_another_script_has_an_ascii_domain() -> None:
    raw = message(letter(notice()), sender="Alerts <alerts@m\u00fcnchen.example>")
    assert b"From: Alerts <alerts@xn--mnchen-3ya.example>\r\n" in raw
    assert b"<alerts.account-12.xn--mnchen-3ya.example>" in raw
