"""Writing mails in batches: CPU time a mail, in this process and in its PostgreSQL backend.

Two sorts: 5,000 mails of one notice each to as many readers, and 20 mails of 5,000 notices each.
Both on an installation with a history of 200,000 mails, some of them about the same incidents.
"""

import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.in_process import filled
from benchmarks.samples import say

if TYPE_CHECKING:
    from integration_alerts.mail.writing import Draft

RUNS = 5
BATCH = 200
Samples = dict[str, list[float]]

_SMALL, _LARGE = 5_000, 20


def writing(place: Path) -> Samples:
    """Milliseconds of CPU for each mail, and kilobytes.

    Accounts 1 to 50 have 5,000 managers of a company each, and 1001 has 20 Administrators.
    """
    with filled(place, _FILL):
        return {**_measure("one notice", 1, _SMALL), **_measure("5,000 notices", 1001, _LARGE)}


def drafts(first_account: int) -> "list[Draft]":
    """The mails that are queued in accounts 1 to 50, or in 1001."""
    from integration_alerts.mail.models import Email
    from integration_alerts.mail.writing import Draft

    queued = Email.objects.filter(status="queued", account__gte=first_account).order_by("pk")
    if first_account == 1:
        queued = queued.filter(account__lte=50)
    now = datetime.now(UTC)
    return [
        Draft(
            each.pk, each.account_id, each.member_id, each.message_id, now, "reader@bench.example"
        )
        for each in queued
    ]


def _measure(what: str, first_account: int, number: int) -> Samples:
    from integration_alerts.mail.writing import Stationery, Written, write_all

    stationery = Stationery("Alerts <alerts@bench.example>", "https://alerts.bench.example")
    asked = drafts(first_account)
    assert len(asked) == number
    samples: Samples = {
        f"mail of {what}, Python, ms": [],
        f"mail of {what}, PostgreSQL, ms": [],
        f"mail of {what}, kB": [],
    }
    for _ in range(1 + RUNS):
        written, python, postgres = _cpu(
            lambda: [
                each
                for start in range(0, number, BATCH)
                for each in write_all(asked[start : start + BATCH], stationery).values()
            ]
        )
        sizes = [len(each.message) for each in written if isinstance(each, Written)]
        assert len(sizes) == number
        values = (python / number * 1000, postgres / number * 1000, sum(sizes) / number / 1000)
        for name, value in zip(samples, values, strict=True):
            samples[name].append(value)
    return {name: values[1:] for name, values in samples.items()}  # the first run warms up


def _cpu(action: Callable[[], Sequence[object]]) -> tuple[Sequence[object], float, float]:
    """What came of it, and the CPU time in seconds here and in the backend."""
    backend = _backend()
    before = time.process_time(), _nanoseconds(backend)
    result = action()
    python, postgres = time.process_time() - before[0], _nanoseconds(backend) - before[1]
    return result, python, postgres / 1e9


def _backend() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _nanoseconds(process: int) -> int:
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0])


_FILL = (
    """
    INSERT INTO account (id, external_id, name, time_zone, active, created_at)
    SELECT n, 'account-' || n, 'Lantern Agency ' || n, 'Europe/Berlin', true, %(now)s
    FROM (SELECT generate_series(1, 50) UNION SELECT 1001) AS made (n)
    """,
    """
    INSERT INTO company (id, account_id, external_id, name, active)
    SELECT n, CASE WHEN n <= 5000 THEN 1 + n %% 50 ELSE 1001 END, 'company-' || n,
           'North Bakery ' || n, true
    FROM generate_series(1, 5100) n
    """,
    # 50 integrations for each company.
    """
    INSERT INTO integration (id, account_id, company_id, external_id, name, provider, fix_url,
                             connection, state, state_since, reported_at, reason_code,
                             reason_message)
    SELECT n, CASE WHEN company <= 5000 THEN 1 + company %% 50 ELSE 1001 END, company,
           'integration-' || n, 'Google Ads ' || n, 'google',
           'https://app.example/reconnect?integration=' || n || '&from=mail',
           CASE WHEN company %% 3 = 0 THEN 'google-' || company %% 7 ELSE '' END,
           'failed', %(now)s - interval '2 hours', %(now)s, 'expired_login',
           'Google asks to sign in again (error AADC-41).'
    FROM (SELECT n, 1 + n %% 5100 AS company FROM generate_series(1, 255000) n) AS made
    """,
    """
    INSERT INTO member (id, account_id, external_id, email, email_verified, name, role, active)
    SELECT n, CASE WHEN n <= 5000 THEN 1 + n %% 50 ELSE 1001 END, 'member-' || n,
           'member-' || n || '@bench.example', true, 'Max Fischer ' || n,
           CASE WHEN n <= 5000 THEN 'manager' ELSE 'administrator' END, true
    FROM generate_series(1, 5020) n
    """,
    "INSERT INTO assignment (account_id, member_id, company_id) "
    "SELECT account_id, id, id FROM member WHERE id <= 5000",
    """
    INSERT INTO subscription (account_id, member_id, covers_all, origin, created_at,
                              unsubscribed_by_link, tells_recovery)
    SELECT account_id, id, true, 'platform', %(now)s, false, false FROM member
    """,
    """
    INSERT INTO state_change (account_id, integration_id, event_id, state, occurred_at, received_at,
                              stale, actor, reason_code, reason_message)
    SELECT account_id, id, 'event-' || id, 'active', %(now)s - interval '1 day', %(now)s, false,
           'member-' || company_id, '', ''
    FROM integration
    """,
    # One incident of each integration is open; 40 of each company's are told of in the history.
    """
    INSERT INTO incident (id, account_id, integration_id, state, state_since, opened_at)
    SELECT id, account_id, id, 'failed', state_since, state_since FROM integration
    """,
    """
    INSERT INTO notice (id, account_id, incident_id, state, step, state_since, due_at, status,
                        planned_at, flapping)
    SELECT id, account_id, id, 'failed', 'alert', state_since, state_since, 'composed',
           state_since, false FROM incident
    """,
    """
    INSERT INTO email (id, account_id, member_id, message_id, date, status, outcome_reason,
                       subject, address, attempts, ended_at, open)
    SELECT integration.id, integration.account_id, company_id,
           '<' || integration.id || '.alert@bench.example>', %(now)s, 'sent', '', 'Told', 'x', 1,
           %(now)s, false
    FROM integration WHERE company_id <= 5000 AND integration.id > 51000
    """,
    """
    INSERT INTO email_notice (account_id, email_id, notice_id, member_id, company_id, released)
    SELECT account_id, id, id, member_id, member_id, false FROM email
    """,
    # What is queued: an alert for each manager, about another incident; every fifth is a reminder.
    """
    INSERT INTO notice (id, account_id, incident_id, state, step, state_since, due_at, status,
                        planned_at, flapping)
    SELECT 1000000 + id, account_id, id, 'failed', 'reminder_7', state_since, state_since,
           'composed', state_since, false
    FROM incident WHERE id > 51000 AND id <= 56100
    """,
    """
    INSERT INTO email (id, account_id, member_id, message_id, date, status, outcome_reason,
                       subject, address, attempts, next_attempt_at, open)
    SELECT 2000000 + id, account_id, id, '<' || id || '.queued@bench.example>', %(now)s, 'queued',
           '', '', '', 0, %(now)s, false
    FROM member
    """,
    """
    INSERT INTO email_notice (account_id, email_id, notice_id, member_id, company_id, released)
    SELECT email.account_id, email.id,
           CASE WHEN email.member_id %% 5 = 0 THEN 1000000 + integration.id ELSE integration.id END,
           email.member_id, integration.company_id, false
    FROM email JOIN integration ON integration.company_id = email.member_id
        AND integration.id > CASE WHEN email.member_id %% 5 = 0 THEN 51000 ELSE 5100 END
        AND integration.id <= CASE WHEN email.member_id %% 5 = 0 THEN 56100 ELSE 10200 END
    WHERE email.status = 'queued' AND email.member_id <= 5000
    UNION ALL
    SELECT email.account_id, email.id, integration.id, email.member_id, integration.company_id,
           false
    FROM email JOIN integration ON integration.account_id = email.account_id
    WHERE email.status = 'queued' AND email.account_id = 1001
    """,
    "ANALYZE",
)


def main() -> None:
    """Measure, and print it."""
    with tempfile.TemporaryDirectory(prefix="integration-alerts-bench-") as place:
        say(writing(Path(place)))


if __name__ == "__main__":
    main()
