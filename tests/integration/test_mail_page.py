"""A mail's page: who may read it, how it looked, what became of it."""

import pytest
from tests.browsing import client_of, page
from tests.world import World

from integration_alerts.mail.history import latest_mails
from integration_alerts.mail.models import Email
from integration_alerts.rules.retry import Answer, Phase

pytestmark = pytest.mark.django_db


def mail_to(world: World, member: str) -> Email:
    return Email.objects.get(member=world.member(member))


@pytest.fixture
def mailed(world: World) -> World:
    """Ada and Max were told that North's ads broke."""
    world.report("failed", name="Google Ads", fix_url="https://fix.example/1")
    world.work()
    return world


def test_a_mail_whose_text_is_not_kept_any_more_says_so(mailed: World) -> None:
    Email.objects.update(message=None)
    address = f"/accounts/{mailed.account().pk}/emails/{mail_to(mailed, 'ada').pk}"
    said = client_of(mailed, "ada").get(address).content.decode()
    assert "is not kept any more" in said
    assert "There is no text yet" not in said


@pytest.mark.parametrize(
    ("reader", "recipient", "status"),
    [
        ("ada", "ada", 200),
        ("ada", "max", 200),
        ("max", "max", 200),
        ("max", "ada", 404),
        ("ivy", "max", 200),
        ("rita", "max", 404),
        ("rita", "ada", 404),
    ],
)
@pytest.mark.parametrize("part", ["", "/html"])
def test_a_mail_exists_for_those_who_may_see_the_alert_behind_it(
    mailed: World, reader: str, recipient: str, status: int, part: str
) -> None:
    mailed.directory(
        {
            "type": "user", "account": "acme", "id": "ivy", "email": "ivy@acme.example",
            "name": "Ivy", "role": "manager", "companies": ["north"],
        }
    )  # fmt: skip
    address = f"/accounts/{mailed.account().pk}/emails/{mail_to(mailed, recipient).pk}{part}"
    response = client_of(mailed, reader).get(address)
    assert response.status_code == status
    assert ("Google Ads" in response.content.decode()) is (status == 200)


def test_a_mail_about_a_company_out_of_sight_does_not_exist(world: World) -> None:
    world.directory(
        {
            "type": "user", "account": "acme", "id": "ivy", "email": "ivy@acme.example",
            "name": "Ivy", "role": "manager", "companies": ["north", "south"],
        },
        {"type": "subscription", "account": "acme", "user": "ivy", "companies": "all"},
    )  # fmt: skip
    world.report("failed", company="south", name="Hidden CRM")
    world.work()
    address = f"/accounts/{world.account().pk}/emails/{mail_to(world, 'ivy').pk}"
    assert client_of(world, "ivy").get(address).status_code == 200
    response = client_of(world, "max").get(address)
    assert response.status_code == 404
    assert "Hidden CRM" not in response.content.decode()


@pytest.mark.parametrize("number", [0, 10**30])
def test_unknown_mails_are_not_found(mailed: World, number: int) -> None:
    address = f"/accounts/{mailed.account().pk}/emails/{number}"
    assert client_of(mailed, "ada").get(address).status_code == 404


def test_a_mail_of_another_account_is_not_found(mailed: World) -> None:
    mailed.directory(
        {"type": "account", "id": "other", "name": "Other"},
        {
            "type": "user", "account": "other", "id": "eve", "email": "eve@other.example",
            "name": "Eve", "role": "administrator",
        },
    )  # fmt: skip
    eve = client_of(mailed, "eve", account="other")
    own = eve.get("/").headers["Location"]
    response = eve.get(f"{own}emails/{mail_to(mailed, 'max').pk}")
    assert response.status_code == 404
    assert "Google Ads" not in response.content.decode()


def test_a_mail_is_shown_as_it_looked_with_its_delivery(mailed: World) -> None:
    client, path = client_of(mailed, "max"), f"emails/{mail_to(mailed, 'max').pk}"
    body = page(client, mailed, path)
    for words in ("Google Ads for North stopped working", "max@acme.example", "sent", "Acceptance",
                  "250", "ok", "https://fix.example/1"):  # fmt: skip
        assert words in body
    frame = client.get(f"/accounts/{mailed.account().pk}/{path}/html")
    assert "https://fix.example/1" in frame.content.decode()
    assert frame["Content-Security-Policy"].startswith("sandbox")
    assert frame["X-Frame-Options"] == "SAMEORIGIN"


def test_a_mail_before_its_first_attempt_says_so(world: World) -> None:
    world.report("failed")
    world.plan()
    client, path = client_of(world, "max"), f"emails/{mail_to(world, 'max').pk}"
    body = page(client, world, path)
    for words in ("queued", "There is no text yet", "No attempt was made."):
        assert words in body
    assert client.get(f"/accounts/{world.account().pk}/{path}/html").content == b""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(Phase.RECIPIENT, 550, "no such user"), ["failed: ", "550", "no such user"]),
        (Answer(Phase.CONNECT, None, "refused"), ["queued again after 1 attempt", "no answer"]),
    ],
)
def test_a_refusal_is_told_with_the_servers_words(
    world: World, answer: Answer, words: list[str]
) -> None:
    world.mailer.answer = answer
    world.report("failed")
    world.work()
    body = page(client_of(world, "max"), world, f"emails/{mail_to(world, 'max').pk}")
    for word in words:
        assert word in body


def test_the_latest_mail_of_each_member_comes_with_one_statement(
    world: World, django_assert_num_queries: object
) -> None:
    world.report("failed", "first")
    world.work()
    world.report("failed", "second", company="south")
    world.plan()
    ada, max_ = world.member("ada").pk, world.member("max").pk
    latest = latest_mails([ada, max_, world.member("rita").pk])
    assert latest[max_].company_ids == {world.company("north").pk}
    assert (latest[max_].status, latest[max_].at) == ("sent", world.now)
    assert latest[ada].company_ids == {world.company("south").pk}
    assert latest[ada].status == "queued"
    assert set(latest) == {ada, max_}
