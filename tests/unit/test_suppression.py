"""What a bounce says of an address, and when mail to it is held back."""

import pytest

from integration_alerts.rules.suppression import (
    SOFT_LIMIT,
    BounceKind,
    Fault,
    fault,
    kind,
    suppresses,
)

HARD, SOFT, COMPLAINT = BounceKind

JUDGED: list[tuple[str, str, Fault, BounceKind]] = [
    # Of the mailbox itself: hard.
    ("5.1.0", "Address rejected", Fault.NO_MAILBOX, HARD),
    ("5.1.1", "User unknown", Fault.NO_MAILBOX, HARD),
    ("5.1.1", "listed as spam trap", Fault.NO_MAILBOX, HARD),  # a telling code needs no words
    ("5.1.2", "Bad destination system", Fault.NO_DOMAIN, HARD),
    ("5.1.3", "Bad address syntax", Fault.NO_MAILBOX, HARD),
    ("5.1.6", "Mailbox has moved", Fault.NO_MAILBOX, HARD),
    ("5.1.10", "Recipient address has null MX", Fault.NO_DOMAIN, HARD),
    ("5.1.10", "RESOLVER.ADR.RecipientNotFound", Fault.NO_MAILBOX, HARD),
    ("5.2.1", "Mailbox disabled", Fault.DISABLED, HARD),
    ("5.2.1", "", Fault.DISABLED, HARD),
    ("5.4.1", "Recipient address rejected: Access denied", Fault.NO_MAILBOX, HARD),
    ("5.4.4", "Host not found", Fault.NO_DOMAIN, HARD),
    ("5.4.310", "DNS domain does not exist", Fault.NO_DOMAIN, HARD),
    ("5.0.0", "550 No such user here", Fault.NO_MAILBOX, HARD),
    ("5.0.0", "550 mailbox unavailable", Fault.NO_MAILBOX, HARD),
    ("5.0.0", "Unrouteable address", Fault.NO_MAILBOX, HARD),
    ("5.0.0", "account suspended", Fault.DISABLED, HARD),
    # The mailbox is there, this mail did not fit.
    ("5.2.2", "Mailbox full", Fault.FULL, SOFT),
    ("5.2.0", "over quota", Fault.FULL, SOFT),
    ("5.2.3", "", Fault.TOO_LARGE, SOFT),
    ("5.3.4", "Message too big", Fault.TOO_LARGE, SOFT),
    ("5.0.0", "552 message size exceeds fixed limit", Fault.UNDELIVERABLE, SOFT),
    ("5.0.0", "552 message exceeds the maximum size", Fault.TOO_LARGE, SOFT),
    # The sender, the content or a policy: the mailbox is as before.
    ("5.2.1", "receiving mail at a rate that prevents", Fault.REFUSED, SOFT),
    ("5.6.0", "Bad content", Fault.REFUSED, SOFT),
    ("5.7.1", "User unknown", Fault.REFUSED, SOFT),  # no code of a mailbox
    ("5.7.26", "DMARC", Fault.REFUSED, SOFT),
    ("5.0.0", "554 blocked, see our policy", Fault.REFUSED, SOFT),
    ("5.1.8", "Bad sender's system address", Fault.UNDELIVERABLE, SOFT),
    # Trouble on the way.
    ("5.3.0", "Mail system error", Fault.UNDELIVERABLE, SOFT),
    ("5.4.6", "Routing loop", Fault.UNDELIVERABLE, SOFT),
    ("5.0.0", "", Fault.UNDELIVERABLE, SOFT),
    ("5.0.0", "operated by the corporate gateway", Fault.UNDELIVERABLE, SOFT),
    # Class 4 never ends an address, whatever its details or words.
    ("4.1.1", "User unknown", Fault.UNDELIVERABLE, SOFT),
    ("4.2.2", "Mailbox full", Fault.FULL, SOFT),
    ("4.4.1", "Connection timed out", Fault.UNDELIVERABLE, SOFT),
    ("4.4.7", "Message expired", Fault.UNDELIVERABLE, SOFT),
]


@pytest.mark.parametrize(("status", "words", "expected", "expected_kind"), JUDGED)
def test_what_a_server_says_of_an_address(
    status: str, words: str, expected: Fault, expected_kind: BounceKind
) -> None:
    found = fault(status, words)
    assert (found, kind(found, status)) == (expected, expected_kind)


def test_a_complaint_is_one_whatever_the_status() -> None:
    assert kind(Fault.COMPLAINT, "") is COMPLAINT


def test_every_fault_is_in_the_table_or_a_complaint() -> None:
    assert {found for _, _, found, _ in JUDGED} | {Fault.COMPLAINT} == set(Fault)


@pytest.mark.parametrize(
    ("found", "soft_emails", "expected"),
    [
        (HARD, 0, True),
        (COMPLAINT, 0, True),
        (SOFT, 1, False),
        (SOFT, 2, False),
        (SOFT, 3, True),
        (SOFT, 4, True),
    ],
)
def test_hard_bounces_and_complaints_count_at_once_and_soft_ones_from_the_third(
    found: BounceKind, soft_emails: int, expected: bool
) -> None:
    assert suppresses(found, soft_emails) is expected


def test_the_limit_of_soft_bounces_is_three_in_seven_days() -> None:
    assert (SOFT_LIMIT.emails, SOFT_LIMIT.within.days) == (3, 7)


def test_faults_read_as_the_end_of_a_sentence() -> None:
    for found in Fault:
        assert found.value[0].islower()
        assert not found.value.endswith(".")
