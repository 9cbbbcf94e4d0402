"""What a mail server refuses: tried again, or given up with its words (R24, R25)."""

from dataclasses import dataclass, field

import pytest
from tests.acceptance.live import Live
from tests.installation import failed, wait_for

from integration_alerts.mail.packing import unpack

GREYLISTED = "450 4.7.1 greylisted, come back later"
UNKNOWN = "550 5.1.1 no such user here"


@dataclass
class Refusals:
    """Max is refused for good, Ada's mail once after its final dot, Una's never."""

    refused: list[str] = field(default_factory=list)

    def of_recipient(self, address: str) -> str | None:
        return UNKNOWN if address.startswith("max@") else None

    def of_message(self, address: str) -> str | None:
        if address.startswith("ada@") and not self.refused:
            self.refused.append(address)
            return GREYLISTED
        return None


@pytest.fixture(scope="module")
def queued_bytes(live: Live) -> bytes:
    """The bytes of Ada's mail after its first try, when every mail has come to its end."""
    refusals = Refusals()
    live.smtp.respond(recipient=refusals.of_recipient, acceptance=refusals.of_message)
    live.change(
        {
            "type": "user", "account": "acme", "id": "una", "email": "una@acme.example",
            "name": "Una", "role": "administrator",
        },
        {"type": "subscription", "account": "acme", "user": "una", "companies": "all"},
    )  # fmt: skip
    live.report(failed("refused"))
    ((message,),) = wait_for(lambda: live.installation.query(_TRIED_ONCE), what="a first try")
    live.settle()
    return unpack(bytes(message))


def test_a_mail_refused_for_now_arrives_once(live: Live, queued_bytes: bytes) -> None:
    assert live.recipients("refused") == ["ada@acme.example", "una@acme.example"]


def test_a_mail_that_is_tried_again_has_the_same_bytes(live: Live, queued_bytes: bytes) -> None:
    (mail,) = (mail for mail in live.mails("refused") if mail.recipient == "ada@acme.example")

    assert mail.data == queued_bytes


def test_a_mail_refused_for_good_ends_failed_with_the_servers_words(
    live: Live, queued_bytes: bytes
) -> None:
    assert live.emails("refused") == [
        ("ada", "sent", ""),
        ("max", "failed", "refused: 550 5.1.1 no such user here"),
        ("una", "sent", ""),
    ]


def test_every_attempt_is_kept_with_the_servers_answer(live: Live, queued_bytes: bytes) -> None:
    attempts = live.installation.query(
        "SELECT address, phase, code FROM delivery_attempt ORDER BY address, id"
    )

    assert attempts == [
        ("ada@acme.example", "acceptance", 450),
        ("ada@acme.example", "acceptance", 250),
        ("max@acme.example", "recipient", 550),
        ("una@acme.example", "acceptance", 250),
    ]


_TRIED_ONCE = "SELECT message FROM email WHERE status = 'queued' AND attempts = 1"
