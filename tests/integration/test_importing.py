"""Directory lines: an idempotent upsert, each line by itself (SPEC section 4)."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from tests.installation import DIRECTORY
from tests.world import World

from integration_alerts.alerts.models import CoveredCompany, Subscription
from integration_alerts.directory.models import Account, Assignment, Company, Member
from integration_alerts.engine import importing
from integration_alerts.integrations.models import Integration

pytestmark = pytest.mark.django_db

TABLES = (Account, Company, Member, Assignment, Subscription, CoveredCompany, Integration)
MAX = {"type": "user", "account": "acme", "id": "max"}
ADS = {"type": "integration", "account": "acme", "company": "north", "id": "ads"}
SUBSCRIPTION = {"type": "subscription", "account": "acme", "user": "max"}


def rows() -> list[list[dict[str, Any]]]:
    return [list(table.objects.order_by("id").values()) for table in TABLES]


def error(world: World, line: Any) -> str:
    (answer,) = importing.take_directory([line], world.now)
    return str(answer.error)


def test_importing_again_changes_nothing(world: World) -> None:
    lines = [*DIRECTORY[:-1], ADS, {**SUBSCRIPTION, "companies": ["north"]}]
    world.directory(*lines)
    before = rows()
    world.directory(*lines)
    assert rows() == before


def test_absent_fields_stay_as_they_are(world: World) -> None:
    before = rows()
    world.directory(
        {"type": "account", "id": "acme"},
        {"type": "company", "account": "acme", "id": "north"},
        MAX,
        SUBSCRIPTION,
    )
    assert rows() == before


def test_given_fields_change_what_is_stored(world: World) -> None:
    world.directory(
        {"type": "account", "id": "acme", "name": "Acme Ltd", "time_zone": "Asia/Tokyo"},
        {"type": "company", "account": "acme", "id": "north", "name": "Northern"},
        {**MAX, "name": "Maxine", "role": "administrator", "email": "m@acme.example"},
    )
    account, member = world.account(), world.member("max")
    assert (account.name, account.time_zone) == ("Acme Ltd", "Asia/Tokyo")
    assert world.company("north").name == "Northern"
    assert (member.name, member.role, member.email) == ("Maxine", "administrator", "m@acme.example")


def test_an_address_from_the_platform_counts_as_verified(world: World) -> None:
    Member.objects.update(email_verified=False)
    world.directory({**MAX, "name": "Max M"})
    assert not world.member("max").email_verified
    world.directory({**MAX, "email": "max@acme.example"})
    assert world.member("max").email_verified


def test_the_same_address_once_more_does_not_undo_the_users_own(world: World) -> None:
    Member.objects.filter(external_id="max").update(email="max@home.example")
    world.directory(MAX)
    assert world.member("max").email == "max@home.example"
    world.directory({**MAX, "email": "max@new.example"})
    assert world.member("max").email == "max@new.example"


def test_companies_of_a_user_are_replaced(world: World) -> None:
    world.directory({**MAX, "companies": ["south"]})
    assert [company.external_id for company in world.member("max").companies.all()] == ["south"]


def test_an_integration_moves_and_keeps_its_state(world: World) -> None:
    world.report("failed")
    world.directory({**ADS, "company": "south", "name": "Ads", "provider": "google"})
    moved = world.integration()
    assert (moved.company, moved.name, moved.provider, moved.state) == (
        world.company("south"), "Ads", "google", "failed",
    )  # fmt: skip


def test_a_new_integration_has_no_state(world: World) -> None:
    world.directory(ADS)
    assert world.integration().state is None


def test_undeleting_is_possible(world: World) -> None:
    world.directory(ADS, {**ADS, "deleted": True}, {**ADS, "deleted": False})
    assert world.integration().deleted_at is None


def test_an_account_says_how_its_mails_go_and_look(world: World) -> None:
    brand = {
        "name": "Lantern", "logo_url": "https://lantern.example/logo.png", "colour": "#14532d",
        "reply_to": "help@lantern.example",
    }  # fmt: skip
    line = {"type": "account", "id": "acme", "group_wait": 0, "group_interval": 60, "brand": brand}
    world.directory(line, {"type": "account", "id": "acme"}, {**line, "brand": {"colour": ""}})
    account = world.account()
    assert (account.group_wait, account.group_interval) == (0, 60)
    assert (account.brand_name, account.logo_url) == ("Lantern", brand["logo_url"])
    assert (account.brand_colour, account.reply_to) == ("", "help@lantern.example")


def test_a_new_account_waits_as_the_settings_say(world: World) -> None:
    configuration = replace(settings.CONFIGURATION, group_wait=7, group_interval=8)
    with override_settings(CONFIGURATION=configuration):
        world.directory({"type": "account", "id": "fresh", "name": "Fresh"})
    account = Account.objects.get(external_id="fresh")
    assert (account.group_wait, account.group_interval) == (7, 8)


def test_subscriptions_change_scope_and_end(world: World) -> None:
    world.directory({**SUBSCRIPTION, "companies": ["north", "south"]})
    assert CoveredCompany.objects.count() == 2
    world.directory({**SUBSCRIPTION, "companies": "all"})
    assert CoveredCompany.objects.count() == 0
    assert world.subscription("max").covers_all
    world.directory({**SUBSCRIPTION, "deleted": True}, {**SUBSCRIPTION, "deleted": True})
    assert not Subscription.objects.filter(member=world.member("max")).exists()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (7, "expected a JSON object, got a number"),
        ({"id": "x"}, "type: missing"),
        ({"type": "team"}, "type: got 'team'; expected one of account, company"),
        ({"type": ["account"]}, "type: got"),
        ({"type": "account", "id": "new"}, "name: missing"),
        ({"type": "account", "id": "acme", "name": ""}, "name: expected str of length >= 1"),
        ({"type": "account", "id": "new", "name": "N", "time_zone": "Mars"}, "time_zone: "),
        ({"type": "account", "id": "acme", "group_wait": -1}, "group_wait: expected int >= 0"),
        ({"type": "account", "id": "acme", "group_interval": 86401}, "group_interval: expected"),
        ({"type": "account", "id": "acme", "brand": {"color": "#fff"}}, "brand.color: not a known"),
        ({"type": "account", "id": "acme", "brand": {"colour": "red"}}, "brand.colour: expected a"),
        ({"type": "account", "id": "acme", "brand": {"name": "A\nB"}}, "brand.name: expected at"),
        (
            {"type": "account", "id": "acme", "brand": {"logo_url": "http://x.example/l.png"}},
            "brand.logo_url: expected an address that begins with https://",
        ),
        (
            {"type": "account", "id": "acme", "brand": {"reply_to": "a@b.example, c@d.example"}},
            "brand.reply_to: expected one e-mail address",
        ),
        ({"type": "company", "account": "acme", "id": "new"}, "name: missing"),
        ({"type": "company", "account": "no", "id": "c", "name": "C"}, "account: no account 'no'"),
        ({**MAX, "id": "new", "name": "N", "role": "manager"}, "email: missing"),
        ({**MAX, "id": "new", "name": "N", "email": "n@n.example"}, "role: missing"),
        ({**MAX, "role": "owner"}, "role: expected one of administrator, manager, reporting"),
        ({**MAX, "email": "max@acme.example\nBcc: x@evil.example"}, "email: expected one e-mail"),
        ({**MAX, "email": "Max <max@acme.example>"}, "email: "),
        ({**MAX, "email": "max"}, "email: "),
        ({**MAX, "email": "a@b.example, c@d.example"}, "email: "),
        ({**MAX, "email": "x" * 300 + "@acme.example"}, "email: "),
        ({**MAX, "companies": ["north", "nothing"]}, "companies: no company 'nothing'"),
        ({**ADS, "company": "nothing"}, "company: no company 'nothing'"),
        ({**SUBSCRIPTION, "user": "nobody", "companies": "all"}, "user: no user 'nobody'"),
        ({**SUBSCRIPTION, "user": "rita", "companies": "all"}, "user: Reporting users cannot"),
        ({**SUBSCRIPTION, "companies": []}, "companies: Choose at least one"),
        ({**SUBSCRIPTION, "companies": "some"}, 'companies: expected "all" or an array'),
        ({**SUBSCRIPTION, "companies": ["nothing"]}, "companies: no company 'nothing'"),
        ({**MAX, "companies": [7]}, "companies[0]"),
        ({**MAX, "actve": False}, "actve: not a known field"),
    ],
)
def test_a_wrong_line_names_its_field_and_stops_no_other(
    world: World, line: Any, words: str
) -> None:
    good = {"type": "company", "account": "acme", "id": "west", "name": "West"}
    wrong, right = importing.take_directory([line, good], world.now)
    assert words in str(wrong.error)
    assert right.error is None
    assert world.company("west").name == "West"


def test_a_new_subscription_needs_companies(world: World) -> None:
    world.directory({**SUBSCRIPTION, "deleted": True})
    assert error(world, SUBSCRIPTION) == "companies: missing; a new subscription needs one"


@pytest.mark.parametrize(
    "address", ["o'neil+tag@acme.example", "jörg@acme.example", "info@münchen.example"]
)
def test_unusual_addresses_are_fine(world: World, address: str) -> None:
    world.directory({**MAX, "email": address})
    assert world.member("max").email == address


def test_a_key_of_one_account_cannot_touch_another(world: World) -> None:
    lines = [
        {"type": "account", "id": "other", "name": "Other"},
        {"type": "company", "account": "acme", "id": "north", "name": "Renamed"},
    ]
    answers = importing.take_directory(lines, world.now, only_account="somebody")
    assert [answer.error.field for answer in answers if answer.error] == ["id", "account"]
    assert world.company("north").name == "North"


def test_a_subscription_made_at_the_same_moment_is_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    missed = Subscription.objects.filter(pk=-1)
    with monkeypatch.context() as moment:
        moment.setattr(Subscription.objects, "filter", lambda **_: missed)
        world.directory({**SUBSCRIPTION, "companies": ["north"]})
    assert not world.subscription("max").covers_all


def test_a_domain_that_no_mail_server_can_name_is_refused(world: World) -> None:
    assert "email: " in error(world, {**MAX, "email": "max@" + "ü" * 60 + ".example"})


@pytest.mark.django_db(transaction=True)
def test_imports_that_deadlock_are_tried_again() -> None:
    world = World()
    users = [
        {
            "type": "user", "account": "acme", "id": f"u{number}", "email": f"u{number}@a.example",
            "name": "U", "role": "manager",
        }
        for number in range(30)
    ]  # fmt: skip
    world.directory(*users)
    errors: list[BaseException] = []

    def rename(order: list[dict[str, Any]], name: str) -> None:
        try:
            for attempt in range(5):
                lines = [{**line, "name": f"{name} {attempt}"} for line in order]
                importing.take_directory(lines, world.now)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=rename, args=(order, name))
        for order, name in ((users, "up"), (users[::-1], "down"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_a_blank_name_is_refused(world: World) -> None:
    (answer,) = importing.take_directory([{**MAX, "name": " \n"}], world.now)
    assert answer.error is not None
    assert "not blank" in str(answer.error)
    assert world.member("max").name == "Max"
