"""The golden mails: what every kind of mail says and looks like, to be read in a change's diff.

`make golden` writes them anew; `tests/unit/test_golden_mails.py` compares. Each kind has its
header, its text and its HTML, decoded.
"""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache
from pathlib import Path
from typing import Any, cast

from integration_alerts.mail.brand import Brand
from integration_alerts.mail.headers import Envelope
from integration_alerts.mail.letters import Letter
from integration_alerts.mail.rendering import render
from integration_alerts.mail.samples import letter, notice, samples

FOLDER = Path(__file__).parent / "golden"
HINT = "the mails changed: run `make golden`, and look at the difference before you commit it"
INTERNATIONAL = "international address"  # which only servers with SMTPUTF8 take
BRAND = Brand.of(
    "Lantern Störfall-Dienst", "https://lantern.example/logo.png", "#FFB000", "help@lantern.example"
)
HOSTILE = {
    "line breaks": "Ads\r\nBcc: x@evil.example\r\n\r\nHello",
    "markup": '<script>alert("1")</script><img src=x onerror=alert(1)>',
    "right to left": "\u202egpj.exe\u202c \u05d0\u05d1",
    "emoji": "🔥👩\u200d👩\u200d👧🇩🇪" * 9,
    "500 letters": "ä" * 500,
    "one long word": "w" * 500,
    "quotes": "\"it's\" \\ 'so' `x` {{ mail }} {% now %} {name} %s",
    "encoded word": "=?utf-8?q?=0D=0ABcc:_x@evil.example?= =?utf-8?b?aGVsbG8=?=",
    "address list": "a,b;c:d<e@evil.example>, (comment) f@evil.example",
    "controls": "\x00\x1b[31m\x7f\u2028\u0085\ufeff red",
    "nothing": "",
}


def envelope(address: str = "max@acme.example", *, thread: int = 0) -> Envelope:
    """A mail to Max that follows this many others."""
    earlier = [f"<{number:08}-earlier@platform.example>" for number in range(thread)]
    message_id = "<6f1c2d3e@platform.example>"
    return Envelope("Alerts <alerts@platform.example>", address, message_id, 1, earlier)


def hostile(name: str) -> Letter:
    """A letter in which every text that comes from outside is this one."""
    facts = {
        "integration": name, "provider": name, "reason_code": name, "reason_message": name,
        "company_name": name,
    }  # fmt: skip
    alone = notice(1, fix_url='https://app.example/?a="><script>&b=\u202e', **facts)
    shared = [notice(number, connection=name or "c", **facts) for number in (2, 3)]
    return letter(
        alone, *shared, account=name, reader=name, told={1: name or "nobody else"},
        connected_by={name or "c": name}, brand=Brand.of(name, name, name, name),
    )  # fmt: skip


def largest(**more: Any) -> Letter:
    """50 lines of 2,000 letters each of which takes 12 bytes, in 50 companies, with long links."""
    long = "🔥" * 2000
    facts = {
        "integration": long, "provider": long, "company_name": long, "reason_code": long,
        "reason_message": long, "fix_url": "https://app.example/" + "&" * 1900,
        "page_url": "https://alerts.example/" + "x" * 100, **more,
    }  # fmt: skip
    told = {number: f"{long}{number}" for number in range(50)}
    notices = [notice(number, company=number, **facts) for number in range(50)]
    return letter(*notices, reader=long, account=long, told=told)


@cache
def letters() -> dict[str, tuple[Letter, Envelope]]:
    """Every golden mail by its name."""
    plain = {name: (each, envelope()) for name, each in samples().items()}
    branded = samples(BRAND)
    return {
        **plain,
        "in a thread": (samples()["last reminder"], envelope(thread=14)),
        INTERNATIONAL: (samples()["failed"], envelope("jörg@münchen.example")),
        "branded": (branded["failed"], envelope()),
        "branded, one cause": (branded["one cause"], envelope()),
        **{f"hostile, {name}": (hostile(text), envelope()) for name, text in HOSTILE.items()},
    }


@cache
def message(name: str) -> bytes:
    """The bytes of a golden mail."""
    return render(*letters()[name])


def files(name: str) -> dict[str, str]:
    """What a golden mail consists of, by file name."""
    stem = re.sub(r"[^a-z0-9]+", "-", name)
    raw = message(name)
    parsed = cast("EmailMessage", message_from_bytes(raw, policy=default))
    text, html = (part.get_content().replace("\r\n", "\n") for part in parsed.iter_parts())
    head = raw.partition(b"\r\n\r\n")[0].decode().replace("\r\n", "\n")
    return {f"{stem}.headers": f"{head}\n", f"{stem}.txt": f"{text}\n", f"{stem}.html": f"{html}\n"}


def main() -> None:
    """Write all of them anew."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name in letters():
        for file, words in files(name).items():
            (FOLDER / file).write_text(words)


if __name__ == "__main__":
    main()
