"""Small requests with reports are answered before Django, and as Django would answer them."""

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any, NamedTuple
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from tests.world import World

from integration_alerts.api import express, keys
from integration_alerts.api.express import Express
from integration_alerts.directory.keys import create_key
from integration_alerts.directory.models import ApiKey
from integration_alerts.engine import clock, intake
from integration_alerts.integrations.models import StateChange

pytestmark = pytest.mark.django_db


class Answer(NamedTuple):
    status: str
    headers: dict[str, str]
    body: bytes


class Web:
    """The application as `web` serves it, and how often Django was asked."""

    def __init__(self) -> None:
        self.django = WSGIHandler()
        self.asked = 0
        self.express = Express(self._ask_django)
        self.asked = 0

    def _ask_django(self, environ: Any, start_response: Any) -> Any:
        self.asked += 1
        return self.django(environ, start_response)

    def post(self, body: bytes, key: str, **more: str) -> Answer:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/reports",
            "HTTP_AUTHORIZATION": f"Bearer {key}", "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body), **more,
        }  # fmt: skip
        setup_testing_defaults(environ)
        started: list[Any] = []
        parts = self.express(environ, lambda *given: started.extend(given))  # type: ignore[arg-type, func-returns-value]
        return Answer(started[0], dict(started[1]), b"".join(parts))


@pytest.fixture
def world(world: World) -> World:
    """Acme in the present: the API reads the clock."""
    world.now = clock.now()
    return world


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    # Both ways end by giving back the connection, on which the test has a transaction.
    monkeypatch.setattr(express, "close_old_connections", lambda: None)
    monkeypatch.setattr("django.core.signals.request_started.send", lambda **_: None)
    monkeypatch.setattr("django.core.signals.request_finished.send", lambda **_: None)
    keys._familiar.clear()
    yield Web()
    keys._familiar.clear()


@pytest.fixture
def key(world: World) -> str:
    return create_key("tests", None, world.now)


def reports(world: World, *states: str, **more: str) -> bytes:
    return json.dumps([{**world.a_report(state), **more} for state in states]).encode()


def test_a_key_that_nobody_knows_yet_goes_the_long_way_and_the_next_request_the_short_one(
    web: Web, world: World, key: str
) -> None:
    long, short = (web.post(reports(world, "failed", "active"), key) for _ in range(2))
    assert web.asked == 1
    assert [each["result"] for each in json.loads(short.body)] == ["applied", "applied"]
    for each in (long, short):
        assert each.headers.pop("Content-Length") == str(len(each.body))
    assert (long.status, long.headers) == (short.status, short.headers)
    assert StateChange.objects.count() == 4


ODD = [
    # body, what differs from the usual request
    (b"", {}),
    (b"no JSON", {}),
    (b"{}", {}),
    (b"[]", {}),
    (b"[1, {}]", {}),
    (b'[{"id": "e", "account": "nowhere"}]', {}),
    (b"[%s1]" % (b"1," * 1000), {}),
    (b"[%s1]" % (b"1," * 300), {}),
    (b'{"id": "e"}\n', {"CONTENT_TYPE": "application/x-ndjson"}),
    (b"[1]", {"CONTENT_TYPE": "text/plain"}),
    (b"[1]", {"CONTENT_TYPE": "Application/JSON; charset=utf-8"}),
    (b"[1]", {"HTTP_AUTHORIZATION": "Basic dTpw"}),
    (b"[1]", {"HTTP_AUTHORIZATION": "Bearer ia_wrong"}),
    (b"[1]", {"REQUEST_METHOD": "PUT"}),
    (b"[1]", {"PATH_INFO": "/api/v1/nothing"}),
    (b"[1]", {"HTTP_TRANSFER_ENCODING": "chunked"}),
    (b"[%s]" % (b" " * 20_000), {}),
]


@pytest.mark.parametrize(("body", "more"), ODD)
def test_both_ways_give_the_same_answer(
    web: Web, key: str, monkeypatch: pytest.MonkeyPatch, body: bytes, more: dict[str, str]
) -> None:
    keys.look_up(key)
    short = web.post(body, key, **more)
    with monkeypatch.context() as patched:
        patched.setattr(express, "_key_of_small_request", lambda _: None)
        long = web.post(body, key, **more)
    assert short == long


def test_a_wrong_report_is_answered_on_the_short_way(web: Web, key: str) -> None:
    keys.look_up(key)
    answer = web.post(b'[{"id": "e", "state": "odd"}]', key)
    assert web.asked == 0
    assert json.loads(answer.body)[0]["result"] == "rejected"
    assert json.loads(answer.body)[0]["error"].startswith("item 1, ")


def test_a_revoked_key_opens_nothing_from_the_next_request_on(
    web: Web, world: World, key: str
) -> None:
    keys.look_up(key)
    ApiKey.objects.update(revoked_at=world.now)
    answers = [web.post(reports(world, "failed"), key) for _ in range(2)]
    assert [answer.status for answer in answers] == ["401 Unauthorized"] * 2
    assert answers[0].headers["WWW-Authenticate"].startswith("Bearer")
    assert StateChange.objects.count() == 0
    assert not keys.may_be_left({"CONTENT_LENGTH": "10"}, key)


def test_a_key_of_one_account_knows_no_other_on_the_short_way(web: Web, world: World) -> None:
    world.directory({"type": "account", "id": "secretive", "name": "Secretive"})
    bound = create_key("acme's", world.account(), world.now)
    keys.look_up(bound)
    body = reports(world, "failed", account="secretive")
    (foreign,) = json.loads(web.post(body, bound).body)
    assert (web.asked, foreign["result"]) == (0, "rejected")
    assert "no account 'secretive'" in foreign["error"]


def test_the_body_of_a_stranger_is_not_read(web: Web, world: World) -> None:
    class Unread(BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("a thread would wait for it")

        readline = read

    answer = web.post(b"[1]", "ia_wrong", **{"wsgi.input": Unread()})  # type: ignore[arg-type]
    assert answer.status == "401 Unauthorized"
    assert not keys._familiar


def test_while_the_database_is_away_clients_are_told_to_try_again(
    web: Web, world: World, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("gone")

    keys.look_up(key)
    monkeypatch.setattr(intake, "take_reports", away)
    short = web.post(reports(world, "failed"), key)
    assert web.asked == 0
    assert (short.status, short.headers["Retry-After"]) == ("503 Service Unavailable", "5")
    assert "the database is away; send it again" in json.loads(short.body)["detail"]


@pytest.mark.parametrize(
    "fault",
    [OperationalError("gone"), RuntimeError("a secret"), UnicodeDecodeError("a", b"", 0, 1, "b")],
)
def test_both_ways_tell_the_same_of_a_fault(
    web: Web, world: World, key: str, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise fault

    keys.look_up(key)
    monkeypatch.setattr(intake, "take_reports", fail)
    body = reports(world, "failed")
    short = web.post(body, key)
    with monkeypatch.context() as patched:
        patched.setattr(express, "_key_of_small_request", lambda _: None)
        long = web.post(body, key)
    assert short.headers.pop("Content-Length", None) in (None, str(len(short.body)))
    assert short == long
    assert short.status[0] == "5"
    assert b"secret" not in short.body


def test_a_key_is_a_strangers_again_after_a_while(
    web: Web, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_FAMILIAR_SECONDS", 0)
    for _ in range(2):
        assert web.post(b"[1]", key).status == "200 OK"
    assert web.asked == 2


@pytest.mark.parametrize("count", [1, 50])
def test_the_statements_do_not_grow_with_the_request(
    web: Web, world: World, key: str, count: int
) -> None:
    keys.look_up(key)
    given = [world.a_report("failed", f"ads-{number}") for number in range(count)]
    with CaptureQueriesContext(connection) as queries:
        answer = web.post(json.dumps(given).encode(), key)
    assert {each["result"] for each in json.loads(answer.body)} == {"applied"}
    assert (web.asked, len(queries)) == (0, 13)
