"""Batches of reports: as if each was sent alone, whatever comes at the same time, and cheap."""

import random
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from tests.world import World

from integration_alerts.directory.keys import create_key
from integration_alerts.directory.models import Account
from integration_alerts.directory.statements import fetch
from integration_alerts.engine import intake
from integration_alerts.integrations.models import Incident, Integration, StateChange
from integration_alerts.integrations.reports import read_report

OTHER = (
    {"type": "account", "id": "other", "name": "Other"},
    {"type": "company", "account": "other", "id": "north", "name": "North"},
    {"type": "company", "account": "other", "id": "south", "name": "South"},
)
STATES = ("pending", "active", "failed", "disabled")


def some_reports(world: World, chance: random.Random) -> list[dict[str, Any]]:
    """Reports of a few integrations: repeated, late, doubled, wrong, with and without a story."""
    reports: list[dict[str, Any]] = []
    for _ in range(chance.randrange(1, 40)):
        world.pass_time(seconds=chance.choice([-30, 0, 1, 60]))
        more: dict[str, Any] = chance.choice(
            [{}, {}, {}, {"name": "Ads"}, {"provider": "google", "fix_url": "https://fix.example"},
             {"reason": {"code": "expired"}}, {"company": "nothing"}, {"actor": "ada"}]
        )  # fmt: skip
        name = f"ads-{chance.randrange(4)}"
        company = chance.choice(["north"] * 9 + ["south"])
        state = chance.choice(STATES)
        report = world.a_report(state, name, **{"company": company, **more})
        reports.append(report)
        if chance.random() < 0.1:
            reports.append({**report, "state": chance.choice(STATES)})
    return reports


def rows_of(account: str) -> list[list[tuple[Any, ...]]]:
    integrations = Integration.objects.filter(account__external_id=account)
    changes = StateChange.objects.filter(account__external_id=account)
    incidents = Incident.objects.filter(account__external_id=account)
    return [
        list(integrations.order_by("external_id").values_list(
            "external_id", "company__external_id", "name", "provider", "fix_url", "state",
            "state_since", "reported_at", "reason_code", "last_opened_at", "earlier_opened_at",
        )),
        list(changes.order_by("id").values_list("event_id", "state", "occurred_at", "stale")),
        list(incidents.order_by("integration__external_id", "opened_at", "closed_at", "state")
             .values_list("integration__external_id", "state", "opened_at", "closed_at")),
    ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(20))
def test_a_batch_does_what_its_reports_do_one_by_one(world: World, seed: int) -> None:
    chance = random.Random(seed)
    world.directory(*OTHER)
    for _ in range(2):
        reports = some_reports(world, chance)
        batched = world.take(*reports)
        singly = [world.take({**report, "account": "other"})[0] for report in reports]
        told = [(t.id, t.outcome.result, t.outcome.field) for t in batched]
        assert told == [(t.id, t.outcome.result, t.outcome.field) for t in singly]
        batch, single = rows_of("acme"), rows_of("other")
        assert batch[0] == single[0]
        assert sorted(batch[1]) == sorted(single[1])
        assert batch[2] == single[2]


@pytest.mark.django_db
def test_a_report_that_confirms_a_state_touches_no_index(world: World) -> None:
    names = [f"ads-{number}" for number in range(20)]
    world.take(*(world.a_report("active", name, name="Ads") for name in names))
    world.pass_time(minutes=1)
    before = _updates()
    confirming = [world.a_report("active", name, name="Ads") for name in names]
    assert {taken.outcome.result.value for taken in world.take(*confirming)} == {"unchanged"}
    updated, in_place = (after - then for after, then in zip(_updates(), before, strict=True))
    assert (updated, in_place) == (20, 20)
    assert set(Integration.objects.values_list("reported_at", flat=True)) == {world.now}


@pytest.mark.django_db
def test_a_report_that_confirms_a_state_still_says_what_is_new(world: World) -> None:
    world.report("failed", name="Ads", reason={"code": "expired"})
    world.pass_time(minutes=1)
    assert world.report("failed", name="New", reason={"code": "revoked"}) == "unchanged"
    row = world.integration()
    assert (row.name, row.reason_code, row.reported_at) == ("New", "revoked", world.now)


def at_once(*works: Callable[[], object]) -> None:
    errors: list[BaseException] = []

    def do(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=do, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.mark.django_db(transaction=True)
def test_processes_that_take_the_same_at_once_do_it_once() -> None:
    world = World()
    reports = [
        read_report(world.a_report("failed", f"ads-{number}"), world.now) for number in range(50)
    ]
    results: list[str] = []

    def take(order: list[Any]) -> None:  # past what shares a transaction, as in two processes
        outcomes = intake.record_reports(order, world.now).outcomes
        results.extend(outcome.result.value for outcome in outcomes)

    at_once(*(lambda order=order: take(order) for order in (reports, reports[::-1]) * 2))
    assert sorted(results) == ["applied"] * 50 + ["duplicate"] * 150
    assert Incident.objects.count() == Integration.objects.count() == 50


@pytest.mark.django_db(transaction=True)
def test_batches_of_processes_that_meet_never_deadlock() -> None:
    world = World()
    names = [f"ads-{number}" for number in range(40)]

    def take(order: list[str], state: str) -> None:
        for _ in range(5):
            reports = [read_report(world.a_report(state, name), world.now) for name in order]
            intake._record_once(reports, world.now)  # without the second try after a deadlock

    at_once(*(lambda order=order, state=state: take(order, state)
              for order in (names, names[::-1]) for state in ("failed", "active")))  # fmt: skip
    assert Integration.objects.count() == len(names)
    assert StateChange.objects.filter(stale=True).count() == 0


@pytest.mark.django_db(transaction=True)
def test_single_reports_at_once_keep_their_answers_and_the_account_of_their_key() -> None:
    world = World()
    world.directory(*OTHER)
    accounts = {account: Account.objects.get(external_id=account) for account in ("acme", "other")}
    keys = {name: create_key(name, each, world.now) for name, each in accounts.items()}
    answers: dict[str, list[str]] = {"acme": [], "other": []}
    strangers: list[str] = []

    def report(account: str) -> dict[str, Any]:
        return world.a_report("failed", f"ads-{random.randrange(10**9)}", account=account)

    def send(account: str) -> None:
        for number in range(10):
            named = "acme" if number % 2 else "other"
            given = report(named)
            (taken,) = intake.take_reports([given], world.now, key=keys[account])
            assert taken.id == given["id"]
            assert taken.outcome.result.value == ("applied" if named == account else "rejected")
            answers[account].append(named)

    def send_as_a_stranger() -> None:
        for _ in range(10):
            with pytest.raises(intake.UnknownKeyError):
                intake.take_reports([report("acme")], world.now, key="ia_wrong")
            strangers.append("acme")

    senders = [lambda account=account: send(account) for account in ("acme", "other") * 3]
    at_once(*senders, send_as_a_stranger, send_as_a_stranger)
    assert {account: len(names) for account, names in answers.items()} == {"acme": 30, "other": 30}
    assert len(strangers) == 20
    assert StateChange.objects.filter(account__external_id="acme").count() == 15
    assert StateChange.objects.count() == 30


def _updates() -> tuple[int, int]:
    ((updated, in_place),) = fetch(
        "SELECT pg_stat_get_xact_tuples_updated(oid), pg_stat_get_xact_tuples_hot_updated(oid) "
        "FROM pg_class WHERE oid = 'integration'::regclass",
        [],
    )
    return updated, in_place
