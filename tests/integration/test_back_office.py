"""The back office: operators find and see everything, and change next to nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from tests.world import World

from integration_alerts.alerts.models import Notice, Subscription
from integration_alerts.directory.keys import create_key, find_key
from integration_alerts.directory.models import Account, ApiKey, Company, Member, User
from integration_alerts.integrations.models import Incident, Integration, StateChange
from integration_alerts.mail.models import DeliveryAttempt, Email
from integration_alerts.web.back_office.showing import COUNTED, _Counted

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOME = "/back-office/"
MODELS = (
    Account, Company, Member, ApiKey, User, Integration, Incident, StateChange, Subscription,
    Notice, Email,
)  # fmt: skip
models = pytest.mark.parametrize("model", MODELS, ids=[model.__name__ for model in MODELS])


@pytest.fixture
def story(world: World) -> World:
    """A failure that Ada was told of, and a key."""
    world.report("failed", name="Ads", company="south")
    world.work()
    create_key("platform", None, NOW)
    return world


@pytest.fixture
def user() -> User:
    """The operator."""
    operator: User = User.objects.create_operator("op@platform.example", "a long password")
    return operator


@pytest.fixture
def operator(user: User) -> Client:
    """The operator, signed in."""
    return _signed_in(user)


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _list(model: Any) -> str:
    return reverse(f"back_office:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _page(row: Any, kind: str = "change") -> str:
    name = f"back_office:{row._meta.app_label}_{row._meta.model_name}_{kind}"
    return reverse(name, args=[row.pk])


@models
def test_an_operator_sees_every_list_and_page(story: World, operator: Client, model: Any) -> None:
    assert operator.get(_list(model)).status_code == 200
    response = operator.get(_page(model.objects.first()))
    assert response.status_code == 200
    assert "style-src 'self'" in response["Content-Security-Policy"]
    assert b"<style" not in response.content
    assert b'name="_save"' not in response.content


@models
def test_members_are_refused(story: World, model: Any) -> None:
    client = _signed_in(User.objects.create(email="ada@acme.example"))
    for address in (HOME, _list(model), _page(model.objects.first())):
        response = client.get(address, follow=True)
        assert response.status_code == 403
        assert b"Acme" not in response.content


@models
def test_visitors_are_sent_to_sign_in_and_back(story: World, user: User, model: Any) -> None:
    address = _page(model.objects.first())
    response = Client().get(address)
    assert response.status_code == 302
    response = Client().get(response["Location"])
    assert response["Location"] == f"/sign-in/login/?next={address}"


def test_the_way_back_leads_nowhere_else(db: None, operator: Client) -> None:
    login = reverse("back_office:login")
    for client, before in ((Client(), "/sign-in/login/?next="), (operator, "")):
        response = client.get(login, {"next": "https://elsewhere.example/"})
        assert response["Location"] == f"{before}{HOME}"


def test_a_way_back_that_is_a_bare_word_is_no_fault(db: None, operator: Client) -> None:
    assert operator.get(reverse("back_office:login"), {"next": "word"})["Location"] == "word"


@models
def test_nothing_can_be_added_changed_or_deleted(
    story: World, operator: Client, model: Any
) -> None:
    row = model.objects.first()
    before = model.objects.values().get(pk=row.pk)
    for kind in ("change", "delete"):
        assert operator.post(_page(row, kind), {"name": "x", "post": "yes"}).status_code == 403
    assert operator.post(_list(model) + "add/", {"name": "x"}).status_code == 403
    operator.post(_list(model), {"action": "delete_selected", "_selected_action": row.pk})
    assert model.objects.values().get(pk=row.pk) == before


@pytest.mark.parametrize(
    ("model", "term"),
    [
        (Account, "acm"), (Account, "ACME"), (Company, "nor"), (Member, "ADA@acme"),
        (Member, "max"), (Integration, "ads"), (User, "op@"), (Subscription, "ada"),
        (Incident, "ads"), (StateChange, "Ads"), (Email, "ada@acme.example"), (ApiKey, "acme"),
    ],
)  # fmt: skip
def test_rows_are_found_by_how_they_begin(
    story: World, operator: Client, model: Any, term: str
) -> None:
    create_key("acme's", story.account(), NOW)
    assert _found(operator, model, term) == 1
    assert _found(operator, model, "dm") == 0


@models
def test_rows_are_found_by_their_number(story: World, operator: Client, model: Any) -> None:
    assert _found(operator, model, str(model.objects.first().pk)) == 1
    assert _found(operator, model, "9" * 30) == 0
    assert _found(operator, model, "٣%_") == 0


def test_an_email_is_found_by_its_message_id(story: World, operator: Client) -> None:
    assert _found(operator, Email, Email.objects.get().message_id) == 1


def _found(client: Client, model: Any, term: str) -> int:
    response = client.get(_list(model), {"q": term})
    assert response.status_code == 200
    return len(response.context["cl"].result_list)


def test_a_page_leads_to_what_belongs_to_it(story: World, operator: Client) -> None:
    for row in (story.account(), story.company("south"), story.member("ada"), story.integration()):
        page = operator.get(_page(row)).content.decode()
        for part in page.split('<div class="readonly">')[1:]:
            for link in part.split("</div>")[0].split('href="')[1:]:
                assert operator.get(link.split('"')[0]).status_code == 200


def test_lists_are_filtered_by_nothing_without_an_index(story: World, operator: Client) -> None:
    assert operator.get(_list(Email), {"subject__contains": "x"}).status_code == 400


@pytest.mark.parametrize("column", ["1", "-2", "x"])
def test_a_list_stays_in_its_order(story: World, operator: Client, column: str) -> None:
    response = operator.get(_list(Member), {"o": column})
    ids = [member.pk for member in response.context["cl"].result_list]
    assert ids == sorted(ids, reverse=True)


@pytest.mark.parametrize("rows", [1, 3, 300])
def test_a_list_costs_the_same_statements_for_any_number(
    world: World, operator: Client, django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    world.queue(rows)
    operator.get(HOME)  # the types of the models are known from here on
    for model in (Email, Integration, Incident, StateChange, Notice, Member):
        with django_assert_num_queries(4):  # session, user, how many, the rows
            operator.get(_list(model))


@pytest.mark.parametrize("rows", [1, 3, 300])
def test_a_page_costs_the_same_statements_for_any_number(
    world: World, operator: Client, django_assert_num_queries: DjangoAssertNumQueries, rows: int
) -> None:
    world.queue()
    email = Email.objects.get()
    DeliveryAttempt.objects.bulk_create(
        DeliveryAttempt(
            account=email.account, email=email, started_at=NOW, finished_at=NOW,
            address="ada@acme.example", phase="connect", answer=f"attempt {number}.",
        )
        for number in range(rows)
    )  # fmt: skip
    operator.get(_page(email))
    with django_assert_num_queries(8):
        page = operator.get(_page(email)).content.decode()
    assert f"attempt {rows - 1}." in page


def test_a_list_counts_no_further_than_somebody_turns_pages(world: World) -> None:
    Company.objects.bulk_create(
        Company(account=world.account(), external_id=str(number), name="x")
        for number in range(COUNTED + 5)
    )
    assert _Counted(Company.objects.order_by("-pk"), 50).count == COUNTED


@pytest.mark.parametrize(
    ("model", "column"), [(Member, "email"), (Company, "name"), (Integration, "external_id")]
)
def test_the_search_has_an_index(world: World, model: Any, column: str) -> None:
    from integration_alerts.directory.finding import begins

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    plan = model.objects.filter(begins([column], "x")).explain()
    assert f"{model._meta.db_table}_{column}_begins" in plan
    assert "Index Cond" in plan


def test_secrets_are_not_shown(story: World, operator: Client, user: User) -> None:
    secret = create_key("acme's", story.account(), NOW)
    key = ApiKey.objects.get(name="acme's")
    page = operator.get(_page(key)).content.decode()
    assert secret not in page
    assert bytes(key.digest).hex() not in page
    assert "argon2" not in operator.get(_page(user)).content.decode()


def test_a_mail_shows_its_text_and_its_attempts(story: World, operator: Client) -> None:
    page = operator.get(_page(Email.objects.get())).content.decode()
    assert "Ads" in page
    assert "2 March 2026, 10:00 (Europe/Berlin)" in page
    assert "250" in page
    assert "Content-Type:" not in page


def test_a_mail_that_is_not_written_yet_says_so(world: World, operator: Client) -> None:
    world.queue()
    page = operator.get(_page(Email.objects.get())).content.decode()
    assert "It is written when it is first sent." in page


def test_a_revoked_key_opens_nothing(world: World, operator: Client) -> None:
    secret = create_key("acme's", world.account(), NOW)
    key = ApiKey.objects.get()
    page = _act(operator, ApiKey, "revoke", key)
    assert "1 key revoked." in page
    assert find_key(secret) is None
    assert "0 keys revoked." in _act(operator, ApiKey, "revoke", key)
    assert "Revoked." in operator.get(_page(key, "history")).content.decode()


def test_a_deactivated_user_is_signed_out_until_reactivated(
    world: World, operator: Client, user: User
) -> None:
    ada = User.objects.create(email="ada@acme.example")
    Member.objects.filter(email=ada.email).update(user=ada)
    client = _signed_in(ada)
    assert "1 user deactivated." in _act(operator, User, "deactivate", ada)
    assert client.get("/alerts").status_code == 302
    assert "sign-in" in client.get("/alerts")["Location"]
    assert "1 user reactivated." in _act(operator, User, "reactivate", ada)
    assert "sign-in" not in _signed_in(ada).get("/alerts")["Location"]


def test_operators_do_not_shut_themselves_out(operator: Client, user: User) -> None:
    assert "another operator has to do that" in _act(operator, User, "deactivate", user)
    user.refresh_from_db()
    assert user.is_active


def _act(client: Client, model: Any, action: str, row: Any) -> str:
    form = {"action": action, "_selected_action": row.pk}
    return client.post(_list(model), form, follow=True).content.decode()


def test_signing_out_leads_to_the_start(operator: Client) -> None:
    assert operator.post(reverse("back_office:logout"))["Location"] == "/"
    assert operator.get(HOME).status_code == 302


def test_members_without_a_user_are_invited(world: World, operator: Client) -> None:
    page = _act(operator, Member, "send_invitation", world.member("max"))
    assert "1 invitation sent." in page
    assert world.member("max").invited_at is not None


def test_whoever_has_a_user_is_not_invited_again(
    world: World, operator: Client, user: User
) -> None:
    Member.objects.filter(external_id="max").update(user=user)
    page = _act(operator, Member, "send_invitation", world.member("max"))
    assert "0 invitations sent." in page
