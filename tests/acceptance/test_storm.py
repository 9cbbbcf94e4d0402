"""An account's worst minute: everybody hears of it soon, once, and only of what is theirs (R22)."""

import itertools
import random
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from tests.installation import Installation, report, wait_for
from tests.smtp_server import SmtpServer

COMPANIES = 100
WAIT, INTERVAL = 3, 6  # seconds
RECIPIENTS = 20
_NAMES = re.compile(r"Company-\d+-")


def directory() -> tuple[list[dict[str, Any]], dict[str, set[str]]]:
    """An account's lines, and the companies that each recipient may see."""
    shuffled = random.Random(4)  # the same in every run
    acme = {"account": "acme"}
    names = [f"Company-{number}-" for number in range(COMPANIES)]
    lines: list[dict[str, Any]] = [
        {"type": "account", "id": "acme", "name": "Acme", "group_wait": WAIT,
         "group_interval": INTERVAL},
        *({"type": "company", **acme, "id": name, "name": name} for name in names),
    ]  # fmt: skip
    visible = {}
    for number in range(RECIPIENTS):
        user = f"user-{number}"
        own = names if number < 3 else shuffled.sample(names, 5 + 3 * number)
        visible[f"{user}@acme.example"] = set(own)
        lines += [
            {
                "type": "user", **acme, "id": user, "email": f"{user}@acme.example", "name": user,
                "role": "administrator" if number < 3 else "manager",
                "companies": [] if number < 3 else own,
            },
            {"type": "subscription", **acme, "user": user, "companies": "all"},
        ]  # fmt: skip
    return lines, visible


@pytest.mark.parametrize(
    "failures", [pytest.param(300), pytest.param(10_000, marks=pytest.mark.long)]
)
def test_each_recipient_gets_one_mail_a_window_about_their_own_companies(
    empty_installation: Installation, smtp: SmtpServer, failures: int
) -> None:
    installation = empty_installation
    lines, visible = directory()
    installation.import_directory(lines)
    web = installation.web()
    for _ in range(2):
        installation.worker()
    installation.key()
    reports = [
        report("failed", f"integration-{number}", company=f"Company-{number % COMPANIES}-")
        for number in range(failures)
    ]
    with ThreadPoolExecutor(4) as threads:
        batches = [reports[start : start + 500] for start in range(0, failures, 500)]
        replies = list(threads.map(lambda each: installation.post(web, "reports", each), batches))
    assert {reply.status for reply in replies} == {200}
    wait_for(lambda: _settled(installation, failures), what="all to be told", patience=120)

    copies = Counter((mail.recipient, mail.message["Message-ID"]) for mail in smtp.messages)
    assert set(copies.values()) == {1}
    assert {mail.recipient for mail in smtp.messages} == set(visible)
    for recipient, companies in visible.items():
        mails = [mail.message for mail in smtp.messages if mail.recipient == recipient]
        _one_a_window(mails)
        named = {name for mail in mails for name in _NAMES.findall(_everything(mail))}
        assert named <= companies
        assert named, "a mail that names nothing shows nothing"
    ((most,),) = installation.query(
        "SELECT max(told) FROM (SELECT count(*) AS told FROM email_notice"
        " WHERE NOT released GROUP BY notice_id, member_id) AS each"
    )
    assert most == 1
    expected = sum(
        sum(1 for number in range(failures) if f"Company-{number % COMPANIES}-" in companies)
        for companies in visible.values()
    )
    ((items,),) = installation.query("SELECT count(*) FROM email_notice WHERE NOT released")
    assert items == expected


def _one_a_window(mails: list[Any]) -> None:
    times = sorted(parsedate_to_datetime(mail["Date"]) for mail in mails)
    gaps = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(times)]
    assert all(gap >= INTERVAL - 1 for gap in gaps)  # Date has whole seconds
    assert len(mails) <= 4  # far fewer than failures


def _settled(installation: Installation, failures: int) -> bool:
    ((composed, waiting),) = installation.query(
        "SELECT (SELECT count(*) FROM notice WHERE status = 'composed'),"
        " (SELECT count(*) FROM email WHERE status IN ('queued', 'sending'))"
    )
    return bool(composed == failures and waiting == 0)


def _everything(message: Any) -> str:
    parts = [str(message["Subject"])]
    parts += [part.get_content() for part in message.walk() if not part.is_multipart()]
    return "\n".join(parts)
