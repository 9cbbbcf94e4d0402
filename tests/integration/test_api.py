"""The API: what it takes, what it answers, and its errors (SPEC section 4, RFC 9457)."""

import json
import re
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries
from tests.world import World

from integration_alerts.directory.keys import create_key
from integration_alerts.directory.models import ApiKey
from integration_alerts.engine import intake
from integration_alerts.engine.workers import Heartbeat
from integration_alerts.integrations.models import StateChange
from integration_alerts.mail.models import MailerCircuit

pytestmark = pytest.mark.django_db


class Api:
    """Posts with a key."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.client = Client(raise_request_exception=False)

    def post(self, path: str, body: Any, content_type: str = "application/json") -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.client.post(
            f"/api/v1/{path}", data, content_type=content_type,
            headers={"Authorization": f"Bearer {self.key}"},
        )  # fmt: skip


@pytest.fixture
def real_time(world: World) -> World:
    """Acme in the present: the API reads the clock."""
    from integration_alerts.engine import clock

    world.now = clock.now()
    return world


@pytest.fixture
def api(real_time: World) -> Api:
    """The API with a platform key."""
    return Api(create_key("tests", None, real_time.now))


def problem(response: Any, status: int) -> dict[str, Any]:
    """Check that the response is a problem and return it."""
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(response.content)
    assert (body["status"], body["type"]) == (status, "about:blank")
    assert body["title"]
    return body


def test_one_result_a_report_in_order(api: Api, real_time: World) -> None:
    first, second = real_time.a_report("failed"), real_time.a_report("failed", "two")
    wrong = {**real_time.a_report("broken", "three")}
    response = api.post("reports", [first, wrong, first, second])
    assert [(row["id"], row["result"]) for row in response.json()] == [
        (first["id"], "applied"),
        (wrong["id"], "rejected"),
        (first["id"], "duplicate"),
        (second["id"], "applied"),
    ]
    assert [row.get("error") for row in response.json()] == [
        None,
        "item 2, state: expected one of pending, active, failed, disabled, got 'broken'",
        None,
        None,
    ]


def test_ndjson_names_the_line(api: Api, real_time: World) -> None:
    lines = [json.dumps(real_time.a_report("failed", name)) for name in ("one", "two", "three")]
    body = "\n".join([lines[0], "", '{"id": "x"', lines[1], "\xff"]).encode("latin-1")
    response = api.post("reports", body + b"\n", "application/x-ndjson")
    assert [row["result"] for row in response.json()] == [
        "applied", "rejected", "applied", "rejected",
    ]  # fmt: skip
    errors = [row["error"] for row in response.json() if "error" in row]
    assert [error.partition(":")[0] for error in errors] == ["line 3", "line 5"]


def test_a_byte_order_mark_is_no_error(api: Api, real_time: World) -> None:
    body = b"\xef\xbb\xbf" + json.dumps(real_time.a_report("active")).encode()
    assert api.post("reports", body, "application/x-ndjson").json()[0]["result"] == "applied"


def test_ndjson_may_be_longer_than_a_batch(
    api: Api, real_time: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BATCH", 2)
    reports = [real_time.a_report("active", f"ads-{number}") for number in range(5)]
    body = "\n".join(json.dumps(report) for report in reports).encode()
    response = api.post("reports", body, "application/x-ndjson; charset=utf-8")
    assert [row["result"] for row in response.json()] == ["applied"] * 5


@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (b"[{]", "application/json", 400, "not valid JSON"),
        (b'["\xff"]', "application/json", 400, "not valid JSON"),
        (b"[" * 100_000, "application/json", 400, "nested too deeply"),
        (b"{}", "application/json", 422, "expected a JSON array"),
        (b"[]", "application/json", 422, "got 0"),
        (json.dumps([{}] * 1001).encode(), "application/json", 422, "got 1001"),
        (b"\n\n", "application/x-ndjson", 422, "no lines"),
        (b"1\n" * 100_001, "application/x-ndjson", 413, "more than 100000 lines"),
        (b"[]", "text/plain", 415, "expected application/json"),
        (b"a=1", "application/x-www-form-urlencoded", 415, "application/x-ndjson"),
        (b" " * (10 * 1024 * 1024 + 1), "application/json", 413, "larger than 10 MB"),
    ],
)
@pytest.mark.parametrize("path", ["reports", "directory"])
def test_a_body_that_cannot_be_taken_is_a_problem(
    api: Api, path: str, body: bytes, content_type: str, status: int, words: str
) -> None:
    assert words in problem(api.post(path, body, content_type), status)["detail"]


def test_a_thousand_items_are_taken(api: Api) -> None:
    assert [row["result"] for row in api.post("reports", [{}] * 1000).json()] == ["rejected"] * 1000


def test_directory_lines_apply_each_by_itself(api: Api) -> None:
    response = api.post(
        "directory",
        [
            {"type": "company", "account": "acme", "id": "west", "name": "West"},
            {"type": "user", "account": "acme", "id": "u", "email": "a@b.example\r\nBcc: x"},
            {"type": "company", "account": "acme", "id": "west"},
        ],
    )
    west, user, again = response.json()
    assert (west["result"], again["result"]) == ("applied", "applied")
    assert user["result"] == "rejected"
    assert user["error"].startswith("item 2, email: expected one e-mail address")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic dTpw", "Bearer \x00"])
@pytest.mark.parametrize("path", ["reports", "directory"])
def test_without_a_valid_key_there_is_no_access(db: None, header: str, path: str) -> None:
    headers = {"Authorization": header} if header else {}
    response = Client().post(f"/api/v1/{path}", b"[]", "application/json", headers=headers)
    problem(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_key_opens_nothing(api: Api, real_time: World) -> None:
    api.post("reports", [real_time.a_report("failed")])
    ApiKey.objects.update(revoked_at=real_time.now)
    problem(api.post("reports", []), 401)
    problem(api.post("reports", [real_time.a_report("active")]), 401)
    problem(api.post("reports", [real_time.a_report("active")] * 300), 401)
    problem(api.post("directory", []), 401)
    assert StateChange.objects.count() == 1


@pytest.mark.parametrize("content_type", ["application/json", "text/plain"])
@pytest.mark.parametrize(
    "body",
    [b"", b"no JSON", b"{}", b"[]", b"[1]", b"[%s1]" % (b"1," * 300), b"x" * 100_000],
)
def test_a_stranger_is_told_nothing_about_the_body(
    real_time: World, body: bytes, content_type: str
) -> None:
    stranger = Api("ia_wrong")
    problem(stranger.post("reports", body, content_type), 401)
    problem(stranger.post("reports", [real_time.a_report("failed")]), 401)
    assert StateChange.objects.count() == 0


def test_a_key_of_one_account_knows_no_other(api: Api, real_time: World) -> None:
    real_time.directory(
        {"type": "account", "id": "secretive", "name": "Secretive"},
        {"type": "company", "account": "secretive", "id": "north", "name": "Hidden Ltd"},
    )
    bound = Api(create_key("acme's", real_time.account(), real_time.now))
    mine, foreign, unknown = bound.post(
        "reports",
        [
            real_time.a_report("active"),
            {**real_time.a_report("active"), "account": "secretive"},
            {**real_time.a_report("active"), "account": "nowhere"},
        ],
    ).json()
    assert mine["result"] == "applied"
    assert (
        foreign["error"].replace("secretive", "nowhere").replace("item 2", "item 3")
        == (unknown["error"])
    )
    (line,) = bound.post(
        "directory", [{"type": "company", "account": "secretive", "id": "north"}]
    ).json()
    assert line["result"] == "rejected"


def test_the_secret_of_a_key_is_stored_nowhere(api: Api) -> None:
    key = ApiKey.objects.get()
    stored = repr([getattr(key, field.name) for field in ApiKey._meta.fields])
    assert api.key.removeprefix("ia_") not in stored


def test_unknown_addresses_are_problems(api: Api) -> None:
    assert "/api/v1/nothing" in problem(api.post("nothing", []), 404)["detail"]
    assert Client().get("/nothing").status_code == 404


def test_a_wrong_method_is_a_problem_that_names_the_right_one(client: Client) -> None:
    response = client.get("/api/v1/reports")
    assert "use POST" in problem(response, 405)["detail"]
    assert response["Allow"] == "POST"


def test_a_fault_of_ours_tells_no_traceback(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(intake, "take_reports", fail)
    body = problem(api.post("reports", [{}]), 500)
    assert "secret detail" not in json.dumps(body)
    assert "secret detail" in caplog.text


def test_while_the_database_is_away_clients_are_told_to_try_again(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(intake, "take_reports", away)
    response = api.post("reports", [{}])
    assert "the database is away; send it again" in problem(response, 503)["detail"]
    assert response["Retry-After"] == "5"


@pytest.mark.parametrize("count", [1, 3, 300])
def test_the_statements_of_a_request_do_not_grow_with_it(
    api: Api, real_time: World, count: int
) -> None:
    reports = [real_time.a_report("failed", f"ads-{number}") for number in range(count)]
    with CaptureQueriesContext(connection) as queries:
        api.post("reports", reports)
    assert len(queries) == 13


@pytest.mark.parametrize("count", [1, 3, 300])
def test_a_directory_line_costs_the_same_statements_in_any_file(api: Api, count: int) -> None:
    lines = [
        {"type": "company", "account": "acme", "id": f"c-{number}", "name": "C"}
        for number in range(count)
    ]
    with CaptureQueriesContext(connection) as queries:
        api.post("directory", lines)
    # The key and the transaction; a line finds its account and itself, between savepoints.
    assert len(queries) == 3 + 5 * count


def test_the_document_describes_both_bodies(client: Client) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert "BearerKey" in document["components"]["securitySchemes"]
    assert document["paths"]["/api/v1/reports"]["post"]["security"] == [{"BearerKey": []}]
    assert document["openapi"].startswith("3.1")
    reports = document["paths"]["/api/v1/reports"]["post"]
    schema = reports["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["items"]["required"]) == {
        "id", "account", "company", "integration", "state", "occurred_at",
    }  # fmt: skip
    assert "$ref" not in json.dumps(reports)


def test_health_needs_neither_key_nor_database(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert client.get("/healthz").content == b"ok\n"


def test_ready_means_a_worker_was_seen_lately(client: Client) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"database": "ok", "worker": "none seen lately", "mail": "ok"}
    with Heartbeat():
        ready = client.get("/readyz")
    assert (ready.status_code, ready.json()) == (
        200, {"database": "ok", "worker": "ok", "mail": "ok"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("phase", "code", "said"),
    [("auth", 535, "sign-in"), ("tls", None, "TLS"), ("sender", 530, "refused")],
)
def test_not_ready_while_the_mailer_takes_no_mail(
    client: Client, phase: str, code: int | None, said: str
) -> None:
    since = datetime(2026, 3, 2, 9, tzinfo=UTC)
    MailerCircuit.objects.create(
        mailer="mail.example:587", opened_at=since, probe_at=since, phase=phase, code=code,
        answer="535 5.7.8 alerts@platform.example: wrong password",
    )  # fmt: skip
    with Heartbeat():
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "database": "ok",
        "worker": "ok",
        "mail": f"none is sent since 2026-03-02T09:00:00Z: {said}",
    }


def test_not_ready_without_a_database(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from integration_alerts.engine import workers

    def away() -> None:
        raise OperationalError

    monkeypatch.setattr(workers, "alive", away)
    assert client.get("/readyz").status_code == 503


def test_all_that_the_page_of_the_api_needs_comes_from_here(client: Client) -> None:
    page = client.get("/api/v1/docs").content.decode()
    places = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(places) >= 4
    for place in places:
        assert place.startswith("/static/"), place
        with closing(client.get(place)) as file:
            assert file.status_code == 200, place
