"""Mails that are written together: each as if it were alone, with a few statements for all."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from msgspec.structs import replace
from tests import pages
from tests.world import STATIONERY, World

from integration_alerts.directory.models import Account
from integration_alerts.mail.models import Email
from integration_alerts.mail.writing import Draft, Unwritable, Written, write_all

pytestmark = pytest.mark.django_db

TWIN: list[dict[str, Any]] = [
    {"type": "account", "id": "twin", "name": "Twin Group", "time_zone": "Asia/Tokyo"},
    {"type": "company", "account": "twin", "id": "north", "name": "Twin North"},
    {"type": "company", "account": "twin", "id": "south", "name": "Twin South"},
    pages.user("ada", "administrator", account="twin", name="Twin Ada"),
    pages.user("max", "manager", "north", "south", account="twin", name="Twin Max"),
    pages.user("ivy", "manager", "south", account="twin", name="Twin Ivy"),
]
"""Everybody and everything here has the id of somebody or something in Acme.

Activating makes an alert for Ivy in both (R17).
"""


def drafts(emails: Iterable[Email] | None = None) -> list[Draft]:
    """These emails, or all, as `outbox` lets them be written."""
    return [
        Draft(each.pk, each.account_id, each.member_id, each.message_id, each.date, "to@x.example")
        for each in (Email.objects.order_by("pk") if emails is None else emails)
    ]


def texts() -> dict[tuple[str, str], bytes]:
    """What all mails say, written together, by account and reader."""
    written = write_all(drafts(), STATIONERY)
    found = {}
    for email in Email.objects.select_related("account", "member"):
        mail = written[email.pk]
        assert isinstance(mail, Written)
        found[email.account.external_id, email.member.external_id] = mail.message
    return found


@pytest.fixture
def twins(acme: World) -> World:
    """Acme and its twin: what is broken in both has the same ids, and the same connection."""
    acme.directory(*TWIN)
    for account, names in (("acme", ("ada", "max", "sam")), ("twin", ("ada", "max", "ivy"))):
        acme.directory(*(
            {"type": "subscription", "account": account, "user": name, "companies": "all"}
            for name in names
        ))  # fmt: skip
    acme.group(wait=30, interval=300)
    both = [("acme", "north"), ("acme", "south"), ("twin", "north"), ("twin", "south")]
    for account, company in both:
        acme.report("active", f"{company}-ads", account=account, company=company,
                    actor="ivy", connection="g-1")  # fmt: skip
    acme.report("failed", "harbour-ads", company="harbour", connection="g-1")
    acme.pass_time(hours=1)
    for account, company in both:
        acme.report("failed", f"{company}-ads", account=account, company=company,
                    connection="g-1", name=f"{account} ads")  # fmt: skip
    acme.plan()
    return acme


def test_a_mail_is_the_same_alone_and_among_others(twins: World) -> None:
    together = write_all(drafts(), STATIONERY)
    alone = {each.id: write_all([each], STATIONERY)[each.id] for each in drafts()}
    assert len(together) == 7
    assert together == alone
    assert all(isinstance(each, Written) for each in together.values())


def test_nothing_of_one_account_is_in_the_mails_of_another(twins: World) -> None:
    for (account, _), message in texts().items():
        assert (b"Twin" in message) == (account == "twin")
        assert (b"twin ads" in message) == (account == "twin")


def test_nothing_of_one_readers_companies_is_in_anothers_mail(twins: World) -> None:
    mails = texts()
    assert b"Secret Harbour" not in mails["acme", "max"]
    assert b"Sam" not in mails["acme", "max"]
    assert b"North Bakery" not in mails["acme", "sam"]
    assert b"Max" not in mails["acme", "sam"]
    assert b"3 integrations in 3 companies" in mails["acme", "ada"]


def test_who_connected_it_is_named_to_those_alone_who_may_know(twins: World) -> None:
    mails = texts()
    assert b"connected by Ivy)" in mails["acme", "max"]
    assert b"connected by" not in mails["acme", "sam"]
    assert b"connected by Twin Ivy)" in mails["twin", "max"]


@pytest.mark.parametrize("count", [1, 50])
def test_a_batch_costs_the_same_statements_however_many_mails_it_has(
    twins: World, count: int
) -> None:
    for number in range(count):
        twins.directory(
            pages.user(f"u{number}", "manager", "south"),
            {"type": "subscription", **pages.ACME, "user": f"u{number}", "companies": "all"},
        )
    twins.report("failed", "feed", company="south")
    twins.plan()
    batch = drafts(Email.objects.filter(member__external_id__startswith="u"))
    assert len(batch) == count
    with CaptureQueriesContext(connection) as queries:
        write_all(batch, STATIONERY)
    assert len(queries) == 6


def test_one_that_cannot_be_written_keeps_no_other_from_it(twins: World) -> None:
    first, *others = drafts()
    written = write_all([replace(first, address="a\r\nb@x.example"), *others], STATIONERY)
    refused = written.pop(first.id)
    assert isinstance(refused, Unwritable)
    assert "ValueError" in refused.reason
    assert len(written) == 6
    assert all(isinstance(each, Written) for each in written.values())


def test_an_accounts_unknown_time_zone_fails_its_mails_alone(twins: World) -> None:
    Account.objects.filter(external_id="twin").update(time_zone="Mars/Olympus")
    written = write_all(drafts(), STATIONERY)
    failed = [isinstance(each, Unwritable) for each in written.values()]
    assert sorted(failed) == [False] * 4 + [True] * 3


def test_nothing_to_write_is_nothing_written(acme: World) -> None:
    assert write_all([], STATIONERY) == {}
