"""Directories and histories of any size, written straight into the tables by SQL.

Everything of the same number belongs together, so that a benchmark knows names and rows without
asking. The triggers of foreign keys are off while large tables are filled; what is written
satisfies them, and `VACUUM ANALYZE` follows.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from integration_alerts.engine.postgres import EmbeddedPostgres

Connection = psycopg.Connection[Any]


@dataclass(frozen=True)
class Layout:
    """Accounts, their companies, managers and integrations.

    Company c belongs to account `1 + (c - 1) // companies`, manager m has the companies from
    `(m - 1) * companies_per_manager + 1` on and an alert for all of them, integration i belongs to
    company `1 + (i - 1) % all_companies`: each run of `all_companies` numbers has one of each.
    """

    accounts: int
    companies: int
    """In each account."""
    integrations: int
    """In each company."""
    companies_per_manager: int = 1
    group_wait: int = 0
    group_interval: int = 0

    @property
    def all_companies(self) -> int:
        """Over all accounts."""
        return self.accounts * self.companies

    @property
    def all_integrations(self) -> int:
        """Over all accounts."""
        return self.all_companies * self.integrations

    @property
    def managers(self) -> int:
        """Over all accounts; each receives mail."""
        return self.all_companies // self.companies_per_manager

    def names(self, number: int) -> dict[str, str]:
        """The external ids of an integration, for a report about it."""
        company = 1 + (number - 1) % self.all_companies
        return {
            "account": f"account-{1 + (company - 1) // self.companies}",
            "company": f"company-{company}",
            "integration": f"integration-{number}",
        }

    def address(self, number: int) -> str:
        """Where mail about an integration goes."""
        company = (number - 1) % self.all_companies
        return f"manager-{1 + company // self.companies_per_manager}@mail.example"


def connect(postgres: EmbeddedPostgres, *, autocommit: bool = False) -> Connection:
    """A connection to an embedded database."""
    return psycopg.connect(make_conninfo(**postgres.conninfo), autocommit=autocommit)


def fill(connection: Connection, layout: Layout) -> None:
    """All of a layout, every integration active since a month."""
    with connection.transaction():
        _run(connection, _DIRECTORY, layout, {})
    _analyze(connection)


def fail(connection: Connection, integrations: str, days: float, *, silent: bool = False) -> None:
    """An incident for each of these integrations, failed `days` ago, its alert told at once.

    Args:
        connection: In autocommit mode.
        integrations: An SQL condition on `integration`.
        days: Since when they have failed; up to half a day less, so that not all is one instant.
        silent: Not due for a reminder until somebody sets `next_notice_at`.
    """
    with connection.transaction():
        statements = [statement.replace("{where}", integrations) for statement in _FAILURES]
        _run(connection, statements, None, {"days": days, "silent": silent})
    _analyze(connection)


def add_history(connection: Connection, layout: Layout, rows: int) -> None:
    """So many state changes, spread over all integrations, in order of time."""
    with connection.transaction():
        # Made again behind it: ten million rows one by one into an index take minutes.
        indexes = connection.execute(_INDEXES).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        _run(connection, [_HISTORY], layout, {"rows": rows})
        connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
        for _, definition in indexes:
            connection.execute(definition)
    _analyze(connection)


def _run(
    connection: Connection, statements: list[str], layout: Layout | None, more: dict[str, Any]
) -> None:
    values = {"now": datetime.now(UTC), **more}
    if layout is not None:
        values |= {
            "accounts": layout.accounts, "companies": layout.companies,
            "all_companies": layout.all_companies, "managers": layout.managers,
            "per_manager": layout.companies_per_manager, "all": layout.all_integrations,
            "wait": layout.group_wait, "interval": layout.group_interval,
        }  # fmt: skip
    connection.execute("SET LOCAL session_replication_role = replica")
    for statement in statements:
        connection.execute(statement, values)


def _analyze(connection: Connection) -> None:
    connection.execute("VACUUM ANALYZE")


_DIRECTORY = [
    """
    INSERT INTO account (id, external_id, name, time_zone, active, created_at, group_wait,
                         group_interval)
    SELECT n, 'account-' || n, 'Account ' || n, 'Europe/Berlin', true, %(now)s, %(wait)s,
           %(interval)s
    FROM generate_series(1, %(accounts)s) n
    """,
    """
    INSERT INTO company (id, account_id, external_id, name, active)
    SELECT n, 1 + (n - 1) / %(companies)s, 'company-' || n, 'Company ' || n, true
    FROM generate_series(1, %(all_companies)s) n
    """,
    """
    INSERT INTO member (id, account_id, external_id, email, email_verified, name, role, active)
    SELECT n, 1 + (n - 1) * %(per_manager)s / %(companies)s, 'manager-' || n,
           'manager-' || n || '@mail.example', true, 'Manager ' || n, 'manager', true
    FROM generate_series(1, %(managers)s) n
    """,
    """
    INSERT INTO assignment (account_id, member_id, company_id)
    SELECT 1 + (n - 1) / %(companies)s, 1 + (n - 1) / %(per_manager)s, n
    FROM generate_series(1, %(all_companies)s) n
    """,
    """
    INSERT INTO subscription (account_id, member_id, covers_all, origin, created_at,
                              unsubscribed_by_link, tells_recovery)
    SELECT account_id, id, true, 'platform', %(now)s, false, false FROM member ORDER BY id
    """,
    """
    INSERT INTO integration (id, account_id, company_id, external_id, name, provider, fix_url,
                             connection, state, state_since, reported_at, reason_code,
                             reason_message)
    SELECT n, 1 + ((n - 1) %% %(all_companies)s) / %(companies)s, 1 + (n - 1) %% %(all_companies)s,
           'integration-' || n,
           (ARRAY['Google Ads', 'Meta Ads', 'HubSpot CRM', 'Shopify', 'Calendar'])[1 + n %% 5]
               || ' ' || n,
           'provider-' || n %% 40, 'https://fix.example/' || n, '', 'active', since, since, '', ''
    FROM generate_series(1, %(all)s) n, LATERAL (
        SELECT %(now)s::timestamptz - interval '30 days' - n %% 86400 * interval '1 second'
    ) AS moment (since)
    """,
    *(
        f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}"
        for table in ("account", "company", "member", "integration")
    ),
]

_FAILURES = [
    """
    UPDATE integration
    SET state = 'failed', reported_at = since, state_since = since, last_opened_at = since,
        reason_code = 'token_expired', reason_message = 'The sign-in has expired.'
    FROM (SELECT id, %(now)s::timestamptz - %(days)s * interval '1 day'
                 + id %% 43200 * interval '1 second' AS since
          FROM integration WHERE {where}) AS chosen
    WHERE chosen.id = integration.id
    """,
    """
    INSERT INTO incident (account_id, integration_id, state, state_since, opened_at,
                          next_notice_at)
    SELECT account_id, id, 'failed', state_since, state_since,
           CASE WHEN %(silent)s THEN NULL ELSE state_since + interval '7 days' END
    FROM integration WHERE {where} ORDER BY id
    """,
    """
    INSERT INTO notice (account_id, incident_id, state, step, state_since, due_at, status,
                        planned_at)
    SELECT incident.account_id, incident.id, 'failed', 'alert', incident.state_since,
           incident.state_since, 'composed', incident.state_since
    FROM incident JOIN integration ON integration.id = incident.integration_id WHERE {where}
    """,
    """
    INSERT INTO email (account_id, member_id, message_id, date, status, outcome_reason, subject,
                       address, attempts, first_attempt_at, ended_at)
    SELECT member.account_id, member.id, '<' || member.id || '@fill.example>', %(now)s, 'sent', '',
           'Integrations have failed', member.email, 1, %(now)s, %(now)s
    FROM member WHERE EXISTS (
        SELECT FROM assignment JOIN integration USING (company_id)
        WHERE assignment.member_id = member.id AND {where})
    ORDER BY member.id
    """,
    """
    INSERT INTO email_notice (account_id, email_id, notice_id, member_id, company_id, released)
    SELECT notice.account_id, email.id, notice.id, email.member_id, integration.company_id, false
    FROM notice
    JOIN incident ON incident.id = notice.incident_id
    JOIN integration ON integration.id = incident.integration_id
    JOIN assignment ON assignment.company_id = integration.company_id
    JOIN email ON email.member_id = assignment.member_id
    WHERE {where}
    """,
]

# Of a partitioned table, pg_get_indexdef gives one for the parent alone.
_INDEXES = """
SELECT indexrelid::regclass::text, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ')
FROM pg_index WHERE indrelid = 'state_change'::regclass AND NOT indisunique"""

# 7919 is a prime: neighbours in time are no neighbours among the integrations.
_HISTORY = """
INSERT INTO state_change (account_id, integration_id, event_id, state, occurred_at, received_at,
                          stale, reason_code, reason_message, actor)
SELECT 1 + (number %% %(all_companies)s) / %(companies)s, 1 + number, 'filled-' || n,
       CASE WHEN n / %(all)s %% 2 = 0 THEN 'failed' ELSE 'active' END, at, at, false, '', '', ''
FROM generate_series(1, %(rows)s) n
CROSS JOIN LATERAL (
    SELECT n::bigint * 7919 %% %(all)s,
           %(now)s::timestamptz - interval '400 days' + n * (interval '360 days' / %(rows)s)
) AS made (number, at)"""
