"""The built-in inbox: keeps every mail, shows it to operators and in a demo on this machine."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings
from tests.world import World

from integration_alerts.directory.keys import create_key
from integration_alerts.directory.models import User
from integration_alerts.mail.inbox import InboxMailer
from integration_alerts.mail.mailers import Parcel
from integration_alerts.mail.models import InboxMessage

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PAGES = ("/inbox", "/inbox/{id}", "/inbox/{id}/html", "/inbox/{id}/raw", "/api/v1/inbox")
LOCAL = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000"}


@pytest.fixture
def caught(world: World) -> InboxMessage:
    """The mail about a failure of <b>Ads</b>, in the inbox."""
    world.mailer = InboxMailer(lambda: NOW)  # type: ignore[assignment]
    world.report("failed", name="<b>Ads</b>", company="south", fix_url="https://fix.example/1")
    world.plan()
    world.deliver()
    return InboxMessage.objects.get()


@pytest.fixture
def operator() -> Client:
    """A signed-in operator."""
    client = Client()
    client.force_login(User.objects.create_operator("op@platform.example", "a long password"))
    return client


@pytest.fixture
def demo(settings: Settings) -> None:
    """As under `run --demo`."""
    settings.CONFIGURATION = dataclasses.replace(settings.CONFIGURATION, demo=True)


def test_an_operator_reads_every_mail(caught: InboxMessage, operator: Client) -> None:
    listing = operator.get("/inbox").content.decode()
    assert "&lt;b&gt;Ads&lt;/b&gt; for South stopped working" in listing
    page = operator.get(f"/inbox/{caught.pk}").content.decode()
    assert "Content-Type: multipart/alternative" in page
    assert "https://fix.example/1" in page
    raw = operator.get(f"/inbox/{caught.pk}/raw")
    assert raw.content == bytes(caught.message)
    assert raw["Content-Type"] == "message/rfc822"


def test_a_mail_in_its_frame_can_run_and_load_nothing(
    caught: InboxMessage, operator: Client
) -> None:
    response = operator.get(f"/inbox/{caught.pk}/html")
    assert "&lt;b&gt;Ads&lt;/b&gt;" in response.content.decode()
    assert response["Content-Security-Policy"].startswith("sandbox")
    assert "script-src" not in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "SAMEORIGIN"


def test_the_api_lists_mails_raw_and_rendered(caught: InboxMessage, world: World) -> None:
    key = create_key("platform", None, NOW)
    (entry,) = Client().get(
        "/api/v1/inbox", headers={"Authorization": f"Bearer {key}"}
    ).json()  # fmt: skip
    assert entry["recipient"] == "ada@acme.example"
    assert entry["subject"] == "<b>Ads</b> for South stopped working"
    assert "2 March 2026, 10:00 (Europe/Berlin), just now" in entry["text"]
    assert "<!doctype html>" in entry["html"]
    assert entry["raw"].startswith("From: Alerts <alerts@platform.example>")


@pytest.mark.parametrize("page", PAGES)
def test_nobody_else_reads_them(caught: InboxMessage, page: str) -> None:
    response = Client().get(page.format(id=caught.pk))
    assert response.status_code in (302, 401)
    assert b"South" not in response.content


@pytest.mark.parametrize("page", PAGES)
def test_a_signed_in_user_who_is_no_operator_is_refused(caught: InboxMessage, page: str) -> None:
    client = Client()
    client.force_login(User.objects.create(email="user@acme.example"))
    response = client.get(page.format(id=caught.pk))
    assert response.status_code in (401, 403)
    assert b"South" not in response.content


def test_a_key_of_one_account_opens_no_inbox(caught: InboxMessage, world: World) -> None:
    key = create_key("acme's", world.account(), NOW)
    response = Client().get("/api/v1/inbox", headers={"Authorization": f"Bearer {key}"})
    assert response.status_code == 401


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize("page", PAGES)
def test_in_a_demo_this_machine_needs_no_sign_in(caught: InboxMessage, page: str) -> None:
    assert Client().get(page.format(id=caught.pk), **LOCAL).status_code == 200  # type: ignore[arg-type]


@pytest.mark.usefixtures("demo")
@pytest.mark.parametrize(
    "request_",
    [
        {**LOCAL, "REMOTE_ADDR": "192.0.2.7"},
        {**LOCAL, "HTTP_HOST": "rebound.example"},
        {**LOCAL, "HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {**LOCAL, "HTTP_FORWARDED": "for=192.0.2.7"},
        {**LOCAL, "REMOTE_ADDR": ""},
        {**LOCAL, "HTTP_X_REAL_IP": "192.0.2.7"},
        {**LOCAL, "HTTP_VIA": "1.1 proxy"},
        {**LOCAL, "HTTP_HOST": "["},
    ],
    ids=[
        "another machine",
        "another name",
        "proxy",
        "standard proxy",
        "no address",
        "nginx",
        "via",
        "broken name",
    ],
)
@pytest.mark.parametrize("page", PAGES)
def test_in_a_demo_other_machines_still_need_one(
    caught: InboxMessage, page: str, request_: dict[str, Any]
) -> None:
    assert Client().get(page.format(id=caught.pk), **request_).status_code in (302, 401)


@pytest.mark.parametrize("mail_id", ["999999", str(2**70)])
def test_unknown_mails_are_not_found(operator: Client, mail_id: str) -> None:
    assert operator.get(f"/inbox/{mail_id}").status_code == 404


def test_an_empty_inbox_says_what_to_do(operator: Client) -> None:
    assert "No mail yet. Report an integration" in operator.get("/inbox").content.decode()


@pytest.mark.parametrize("count", [1, 3, 300])
def test_a_page_costs_the_same_statements_for_any_number(
    operator: Client, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    mailer = InboxMailer(lambda: NOW)
    for number in range(count):
        mailer.send(Parcel("a@b.example", "c@d.example", f"Subject: mail {number}.\n\n".encode()))
    operator.get("/inbox")  # the first page of a session may write it
    with django_assert_num_queries(4):  # session, user, mails; the frame
        page = operator.get("/inbox").content.decode()
    assert f"mail {count - 1}." in page
    assert ("Older mails" in page) is (count > 50)


def test_older_mails_are_on_the_next_page(operator: Client) -> None:
    mailer = InboxMailer(lambda: NOW)
    for number in range(60):
        mailer.send(Parcel("a@b.example", "c@d.example", f"Subject: mail {number}.\n\n".encode()))
    oldest_shown = InboxMessage.objects.order_by("-id")[49].pk
    page = operator.get(f"/inbox?before={oldest_shown}").content.decode()
    assert "mail 9." in page
    assert "mail 10." not in page
    for odd in ("nonsense", "9" * 5000, "-1", "٣"):
        assert operator.get("/inbox", {"before": odd}).status_code == 200
    assert operator.head("/inbox").status_code == 200


def test_signing_in_leads_to_the_inbox(db: None) -> None:
    User.objects.create_operator("op@platform.example", "a long password")
    client = Client()
    sign_in = "/sign-in/login/"
    assert client.get("/inbox").headers["Location"] == f"{sign_in}?next=/inbox"
    form = {"login": "op@platform.example", "password": "wrong", "next": "/inbox"}
    assert 'role="alert"' in client.post(sign_in, form).content.decode()
    signed_in = client.post(sign_in, {**form, "password": "a long password"})
    assert signed_in.headers["Location"] == "/inbox"


@pytest.mark.parametrize(
    ("path", "words"), [("/", "Know when an integration breaks"), ("/sign-in/login/", "Sign in")]
)
def test_open_pages(db: None, path: str, words: str) -> None:
    response = Client().get(path)
    assert words in response.content.decode()
    assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "statements"), [("/", 0), ("/sign-in/login/", 0), ("/api/v1/docs", 0)]
)
def test_open_pages_ask_the_database_nothing(
    django_assert_num_queries: DjangoAssertNumQueries, path: str, statements: int
) -> None:
    with django_assert_num_queries(statements):
        assert Client().get(path).status_code == 200


def test_the_mailer_is_always_well() -> None:
    mailer = InboxMailer(lambda: NOW)
    assert mailer.check().code == 250
    close: Callable[[], None] = mailer.close
    close()
