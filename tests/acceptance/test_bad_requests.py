"""A request that cannot be taken as a whole is answered with problem+json (RFC 9457), not a 500."""

import http.client
import json
import socket
import subprocess
import time
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.acceptance.live import Live, assert_problem
from tests.installation import Reply, failed, get, ndjson, post

from integration_alerts.engine.running import THREADS

TWENTY_MB = b"[" + b" " * (20 << 20) + b"]"


@pytest.mark.parametrize(
    "key", [None, "wrong", "ia_wrong", "ia_\N{SNOWMAN}".encode().decode("latin1")]
)
def test_without_a_valid_key_it_is_401(live: Live, key: str | None) -> None:
    reply = post(f"{live.address}/api/v1/reports", _json(), key)

    assert_problem(reply, 401, "API key")
    assert reply.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", ["reports", "directory"])
@pytest.mark.parametrize(
    ("body", "content_type", "status", "words"),
    [
        (b"hello", "text/plain", 415, "application/x-ndjson"),
        (b"id=1", "application/x-www-form-urlencoded", 415, "application/x-ndjson"),
        (b"[]", "", 415, "application/json"),
        (b"[", "application/json", 400, "not valid JSON"),
        (b"", "application/json", 400, "not valid JSON"),
        (b"\xff\xfe", "application/json", 400, "not valid JSON"),
        (b"[" * 100_000, "application/json", 400, "nested too deeply"),
        (b"{}", "application/json", 422, "array of 1 to 1000"),
        (b"[]", "application/json", 422, "array of 1 to 1000"),
        (b"\n\n", "application/x-ndjson", 422, "no lines"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_body_that_cannot_be_taken_says_what_is_expected(
    live: Live, path: str, body: bytes, content_type: str, status: int, words: str
) -> None:
    reply = post(f"{live.address}/api/v1/{path}", body, live.installation.key(), content_type)

    assert_problem(reply, status, words)


def test_an_array_of_1000_is_taken(live: Live) -> None:
    assert len(_post(live, _json(1000)).json) == 1000


def test_an_array_of_1001_is_422(live: Live) -> None:
    assert_problem(_post(live, _json(1001)), 422, "1 to 1000", "got 1001")


def test_ndjson_may_be_longer(live: Live) -> None:
    lines = ndjson([failed("long")] * 2001).encode()

    results = post(
        f"{live.address}/api/v1/reports", lines, live.installation.key(), "application/x-ndjson"
    ).json

    assert [answer["result"] for answer in results] == ["applied"] + ["duplicate"] * 2000


def test_20_mb_are_413_for_a_python_client(live: Live) -> None:
    assert_problem(_post(live, TWENTY_MB), 413, "larger than 10 MB")


@pytest.mark.parametrize("expect", ["Expect: 100-continue", "Expect:"])
def test_20_mb_are_413_for_curl(live: Live, tmp_path: Path, expect: str) -> None:
    reply = _curl(live, tmp_path, TWENTY_MB, expect)

    assert_problem(reply, 413, "larger than 10 MB")


@pytest.mark.parametrize("header", ["", "Authorization: Bearer ia_wrong\r\n"])
def test_slow_clients_without_a_key_keep_nobody_waiting(live: Live, header: str) -> None:
    """Their body is not read: whoever sends slowly would hold a thread meanwhile."""
    place = urlsplit(live.address)
    head = (
        f"POST /api/v1/reports HTTP/1.1\r\nHost: x\r\n{header}"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )
    with ExitStack() as clients:
        for _ in range(THREADS + 8):
            client = socket.create_connection((place.hostname or "", place.port or 80), timeout=10)
            clients.enter_context(client)
            client.sendall(head.encode())

        assert get(f"{live.address}/healthz").status == 200


def test_a_body_that_comes_in_pieces_is_taken(live: Live) -> None:
    key, body, place = live.installation.key(), _json(), urlsplit(live.address).netloc
    assert _post(live, body).status == 200  # so that the key is known to be live
    with closing(http.client.HTTPConnection(place, timeout=30)) as client:
        client.putrequest("POST", "/api/v1/reports")
        client.putheader("Authorization", f"Bearer {key}")
        client.putheader("Content-Type", "application/json")
        client.putheader("Content-Length", str(len(body)))
        client.endheaders(body[:9])
        for start in range(9, len(body), 40):
            time.sleep(0.05)
            client.send(body[start : start + 40])
        response = client.getresponse()
        answer = response.read()

    assert response.status == 200, answer
    assert json.loads(answer)[0]["result"] in ("applied", "unchanged", "duplicate")


def test_a_chunked_body_is_taken(live: Live) -> None:
    """Clients that make the body as they send it (Go, Node) do not know its length before."""
    headers = {
        "Authorization": f"Bearer {live.installation.key()}",
        "Content-Type": "application/json",
    }
    body = _json()
    pieces = iter([body[:9], body[9:]])

    with closing(http.client.HTTPConnection(urlsplit(live.address).netloc, timeout=30)) as client:
        client.request("POST", "/api/v1/reports", pieces, headers, encode_chunked=True)
        response = client.getresponse()
        answer = response.read()

    assert response.status == 200, answer
    assert json.loads(answer)[0]["result"] in ("applied", "unchanged")


def test_another_method_is_405(live: Live) -> None:
    reply = get(f"{live.address}/api/v1/reports", live.installation.key())

    assert_problem(reply, 405)


def test_an_unknown_address_is_404(live: Live) -> None:
    assert_problem(get(f"{live.address}/api/v1/nothing", live.installation.key()), 404)


def test_a_key_of_one_account_does_not_know_another(live: Live) -> None:
    live.change({"type": "account", "id": "other", "name": "Other"})
    made = live.installation.command("apikey", "create", "--name", "bound", "--account", "other")
    key = made.stdout.strip()

    reports = live.installation.post(live.address, "reports", [failed()], key=key).json
    lines = [{"type": "company", "account": "acme", "id": "north", "name": "Stolen"}]
    directory = live.installation.post(live.address, "directory", lines, key=key).json

    assert reports[0]["error"] == "item 1, account: no account 'acme'; import it first"
    assert directory[0]["error"].startswith("item 1, account: no account 'acme'")


def test_a_key_of_one_account_reports_for_it(live: Live) -> None:
    made = live.installation.command("apikey", "create", "--name", "bound", "--account", "acme")

    reply = live.installation.post(
        live.address, "reports", [failed("bound")], key=made.stdout.strip()
    )

    assert reply.json[0]["result"] == "applied"


def _json(count: int = 1) -> bytes:
    return json.dumps([failed("many") for _ in range(count)]).encode()


def _post(live: Live, body: bytes) -> Reply:
    return post(f"{live.address}/api/v1/reports", body, live.installation.key())


def _curl(live: Live, folder: Path, body: bytes, *headers: str) -> Reply:
    (folder / "body").write_bytes(body)
    sent = (
        f"Authorization: Bearer {live.installation.key()}", "Content-Type: application/json",
        *headers,
    )  # fmt: skip
    options = [part for header in sent for part in ("--header", header)]
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "30", *options,
         "--data-binary", f"@{folder / 'body'}", "--dump-header", f"{folder / 'headers'}",
         f"{live.address}/api/v1/reports"],
        capture_output=True, check=True,
    )  # fmt: skip
    # The last block: with 100-continue, one more comes before it.
    block = (folder / "headers").read_text().strip().split("\n\n")[-1].replace("\r", "")
    status, *lines = block.splitlines()[-20:]
    found = dict(line.lower().split(": ", 1) for line in lines)
    return Reply(int(status.split()[1]), found, done.stdout)
