"""Accounts spread over two databases, as docs/how-to/spread-accounts.md says."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.acceptance.live import SENDER, settle
from tests.installation import Installation, failed, wait_for
from tests.smtp_server import SmtpServer

ACCOUNTS = 50  # in each database
INTEGRATIONS = 4  # of each account
RANGE = 10**12  # of ids, by installation
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "spread-accounts.md"

pytestmark = pytest.mark.long


class Front:
    """What a platform does: it knows where each account lives, and groups reports by it."""

    def __init__(self, installations: list[Installation]) -> None:
        self.home = {
            _name(installation, number): installation
            for installation in installations
            for number in range(ACCOUNTS)
        }
        self.address = {id(installation): installation.web() for installation in installations}

    def report(self, reports: list[dict[str, Any]]) -> dict[str, str]:
        """Post reports about any accounts; returns the result of each."""
        grouped = defaultdict(list)
        for each in reports:
            grouped[id(self.home[each["account"]])].append(each)
        homes = {id(installation): installation for installation in self.home.values()}
        with ThreadPoolExecutor(len(grouped)) as threads:
            replies = threads.map(
                lambda group: homes[group[0]].post(self.address[group[0]], "reports", group[1]),
                grouped.items(),
            )
            return {answer["id"]: answer["result"] for reply in replies for answer in reply.json}


@pytest.fixture
def installations(
    scratch_url: str, other_url: str, smtp: SmtpServer, tmp_path: Path
) -> Iterator[list[Installation]]:
    """Two, each with its accounts and the ids of its range."""
    made = []
    for number, url in enumerate([scratch_url, other_url]):
        (folder := tmp_path / str(number)).mkdir()
        each = Installation(folder, url, EMAIL_URL=smtp.url, DEFAULT_FROM_EMAIL=SENDER)
        made.append(each)
        _number(url, number)
        each.import_directory(
            line for account in range(ACCOUNTS) for line in _account(_name(each, account))
        )
        each.key()
    yield made
    for each in made:
        each.close()
        assert "Traceback" not in each.logs(), each.logs()


def test_the_load_of_all_accounts_is_told_of_once_each_by_its_own_installation(
    installations: list[Installation], smtp: SmtpServer
) -> None:
    front = Front(installations)
    for each in installations:
        each.worker()
    reports = [_failed(account, number) for number in range(INTEGRATIONS) for account in front.home]
    results = [front.report(reports[at : at + 200]) for at in range(0, len(reports), 200)]
    for each in installations:
        settle(each)

    assert {answer for result in results for answer in result.values()} == {"applied"}
    assert sum(map(len, results)) == 2 * ACCOUNTS * INTEGRATIONS
    assert set(Counter(mail.message["Message-ID"] for mail in smtp.messages).values()) == {1}
    assert {mail.recipient for mail in smtp.messages} == {
        f"ada@{name}.example" for name in front.home
    }
    for number, each in enumerate(installations):
        told = each.query(
            "SELECT count(*), min(id) / %s, max(id) / %s FROM email_notice", RANGE, RANGE
        )
        assert told == [(ACCOUNTS * INTEGRATIONS, number, number)]


def test_an_account_moves_with_its_waiting_mails_and_is_known_there(
    installations: list[Installation], smtp: SmtpServer
) -> None:
    old, new = installations
    name = _name(old, 7)
    old.import_directory([{"type": "account", "id": name, "name": name, "group_wait": 3600}])
    front = Front(installations)
    broken = _failed(name, 1)
    assert front.report([broken]) == {broken["id"]: "applied"}
    worker = old.worker()
    _composed(old)
    before = _rows(old, name)

    moved = old.command("move", "--account", name, "--to", str(new.database_url))

    assert moved.returncode == 0, moved.stderr
    assert re.fullmatch(r"moved \d+ rows\n", moved.stdout)
    assert (_rows(old, name), _rows(new, name)) == ([], before)
    assert worker.poll() is None
    front.home[name] = new
    other = _failed(name, 2)
    assert front.report([broken, other]) == {broken["id"]: "duplicate", other["id"]: "applied"}
    # What waited goes out from there, with what has come since.
    new.query("UPDATE email SET next_attempt_at = now() WHERE status = 'queued' RETURNING 1")
    new.worker()
    mail = smtp.wait_for_messages(1, timeout=60)[0]
    assert mail.recipient == f"ada@{name}.example"
    assert mail.message["Message-ID"] == before[0][2]


def test_a_move_says_why_it_cannot_be(installations: list[Installation]) -> None:
    old, new = installations
    there = str(new.database_url)
    new.import_directory(_account(_name(old, 3)))
    unknown = old.command("move", "--account", "nobody", "--to", there)
    taken = old.command("move", "--account", _name(old, 3), "--to", there)
    assert (unknown.returncode, taken.returncode) == (1, 1)
    assert "there is no account 'nobody'" in unknown.stderr
    assert "has the account, or its ids, already" in taken.stderr
    assert old.query("SELECT 1 FROM account WHERE external_id = %s", _name(old, 3)) == [(1,)]


def _name(installation: Installation, number: int) -> str:
    return f"account-{installation.folder.name}-{number}"


def _account(name: str) -> list[dict[str, Any]]:
    return [
        {"type": "account", "id": name, "name": name},
        {"type": "company", "account": name, "id": "north", "name": "North"},
        {
            "type": "user", "account": name, "id": "ada", "email": f"ada@{name}.example",
            "name": "Ada", "role": "administrator",
        },
        {"type": "subscription", "account": name, "user": "ada", "companies": "all"},
    ]  # fmt: skip


def _failed(account: str, number: int) -> dict[str, Any]:
    return failed(f"integration-{number}", account=account, id=f"{account}-{number}")


def _number(url: str, installation: int) -> None:
    """What the document says to do right after the first `migrate`."""
    (statement,) = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    statement = statement.replace(
        "installation bigint := 1", f"installation bigint := {installation}"
    )
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement)


def _composed(installation: Installation) -> None:
    wait_for(
        lambda: installation.query("SELECT 1 FROM email WHERE status = 'queued'"), what="an email"
    )


def _rows(installation: Installation, name: str) -> list[tuple[Any, ...]]:
    """(id of the account, id of its integration, Message-ID of its mail) as stored."""
    return installation.query(
        "SELECT account.id, integration.id, email.message_id FROM account"
        " LEFT JOIN integration ON integration.account_id = account.id"
        " LEFT JOIN email ON email.account_id = account.id WHERE account.external_id = %s",
        name,
    )
