"""Three parsers read every mail without a defect, and read the same: Python's, Node's, Perl's."""

import base64
import email
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import strict
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from tests.browser.validating import MISSING, TOOLS
from tests.golden_mails import INTERNATIONAL, letters, message

# Python's parser knows no UTF-8 in headers (RFC 6532).
MAILS = [name for name in letters() if name != INTERNATIONAL]
PROGRAMS = Path(__file__).parents[1] / "parsers"
NO_PERL = "Perl's Email::MIME is missing: `apt-get install libemail-mime-perl`, then `make test`"
HEADERS = [
    "from", "reply-to", "to", "subject", "date", "message-id", "in-reply-to", "references",
    "list-id", "list-unsubscribe", "list-unsubscribe-post", "auto-submitted", "mime-version",
    "content-type",
]  # fmt: skip


@cache
def by_node() -> dict[str, dict[str, Any]]:
    """What Node's mailparser makes of each mail."""
    assert (TOOLS / "mailparser").is_dir(), MISSING
    return answers(
        [str(Path(sys.executable).with_name("node")), f"{PROGRAMS}/read.mjs", f"{TOOLS}"]
    )


@cache
def by_perl() -> dict[str, dict[str, Any]]:
    """What Perl's Email::MIME makes of each mail."""
    known = subprocess.run(["perl", "-MEmail::MIME", "-e", "1"], capture_output=True)
    assert known.returncode == 0, NO_PERL
    return answers(["perl", f"{PROGRAMS}/read.pl"])


def answers(command: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Have all mails read by a program that answers each with a line."""
    lines = [base64.b64encode(message(name)).decode() for name in letters()]
    done = subprocess.run(
        command, input="".join(f"{line}\n" for line in lines), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(letters(), map(json.loads, done.stdout.splitlines()), strict=True))


@cache
def by_python(name: str) -> EmailMessage:
    """What Python makes of a mail; raises at the first defect."""
    return cast("EmailMessage", email.message_from_bytes(message(name), policy=strict))


@pytest.mark.parametrize("name", MAILS)
def test_python_finds_no_defect(name: str) -> None:
    mail = by_python(name)
    parts = list(mail.walk())
    assert [defect for part in parts for defect in part.defects] == []
    assert [value.defects for part in parts for value in part.values() if value.defects] == []
    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


@pytest.mark.parametrize("name", MAILS)
def test_it_has_the_headers_that_were_meant_in_their_order(name: str) -> None:
    found = [key.lower() for key in by_python(name)]
    optional = {"reply-to", "in-reply-to", "references"}
    assert found == [key for key in HEADERS if key in found or key not in optional]


@pytest.mark.parametrize("name", MAILS)
@pytest.mark.parametrize("parser", [by_node, by_perl])
def test_all_read_the_same(parser: Any, name: str) -> None:
    mail, other = by_python(name), parser()[name]
    text, html = (part.get_content() for part in mail.iter_parts())
    assert other["subject"] == mail["Subject"]
    assert other["message_id"] == mail["Message-ID"]
    assert other["references"] == (mail["References"] or "").split()
    assert sorted(other["headers"]) == sorted(key.lower() for key in mail)
    assert other["attachments"] == 0
    for field in ("From", "To", "Reply-To"):
        found = [known(address) for address in mail[field].addresses] if field in mail else []
        assert [(each[0], each[1]) for each in other[field.lower().replace("-", "_")]] == found
    assert lines(other["text"]) == lines(text)
    assert lines(other["html"]) == lines(html)


@pytest.mark.parametrize("parser", [by_node, by_perl])
def test_an_international_address_is_read_as_it_is(parser: Any) -> None:
    assert parser()[INTERNATIONAL]["to"] == [["Max Fischer", "jörg@münchen.example"]]


@pytest.mark.parametrize("name", letters())
def test_no_line_is_too_long(name: str) -> None:
    head, _, body = message(name).partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76  # RFC 2045 section 6.7
    for line in head.split(b"\r\n"):
        # What has no space in it cannot be folded, as addresses.
        assert len(line) <= 78 or line.startswith((b"List-Unsubscribe: <", b"To: ", b" <"))


@pytest.mark.parametrize("name", MAILS)
def test_nothing_from_outside_is_markup(name: str) -> None:
    html = by_python(name).get_body(("html",)).get_content()  # type: ignore[union-attr]
    assert set(re.findall(r"<(\w+)", html)) <= {
        "html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "p", "h1",
        "h2", "span", "strong", "br", "a", "ul", "li", "img",
    }  # fmt: skip
    assert set(re.findall(r'<img src="([^"]*)"', html)) <= {"https://lantern.example/logo.png"}
    assert not re.search(r"<[^>]*\son\w+=", html)
    assert all(url.startswith("https://") for url in re.findall(r'href="([^"]*)"', html))


def known(address: Address) -> tuple[str, str]:
    """A name and an address."""
    return address.display_name, f"{address.username}@{address.domain}"


def lines(text: str) -> list[str]:
    """A text without how its lines end."""
    return text.strip().splitlines()
