"""The list of integrations with 100,000 in one account: server time, in this process."""

import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.in_process import filled
from benchmarks.samples import Samples

if TYPE_CHECKING:
    from django.test import Client

RUNS = 60
WARM = 5

_PEOPLE = {"administrator": "ada", "manager of 20": "max", "manager of 500": "mia"}
_QUERIES = {
    "first page": "",
    "deep page": "after={deep}",
    "failed": "state=failed",
    "active": "state=active",
    "one company": "company={company}",
    "rare provider": "provider=provider-39",
    "common provider": "provider=provider-0",
    "search, many": "q=ads",
    "search, one": "q=integration-76777",
    "search, company": "q=company+417",
    "search, none": "q=nothing+like+this",
    "search, deep": "q=ads&after={deep}",
}


def pages(place: Path) -> Samples:
    """Every filter, search and a deep page, as an Administrator and as two Managers.

    100,000 integrations of 1,000 companies, and as many of other accounts.
    """
    place.mkdir()
    with filled(place, _FILL):
        return _measure()


def _measure() -> Samples:
    from integration_alerts.integrations.models import Integration

    deep = Integration.objects.filter(account=1, deleted_at=None).order_by("attention", "pk")[
        50_000
    ]
    values = {"deep": f"{deep.attention}.{deep.pk}", "company": 17}
    samples: Samples = {}
    for who, external_id in _PEOPLE.items():
        client = _client(external_id)
        for what, query in _QUERIES.items():
            address = f"/accounts/1/?{query.format(**values)}"
            times = [_request(client, address) for _ in range(WARM + RUNS)]
            samples[f"{who}: {what}, ms"] = times[WARM:]
    return samples


def _client(external_id: str) -> "Client":
    from django.test import Client

    from integration_alerts.directory.models import Member, User

    user = User.objects.create(email=f"{external_id}@bench.example")
    Member.objects.filter(account=1, external_id=external_id).update(user=user)
    client = Client()
    client.force_login(user)
    return client


def _request(client: "Client", address: str) -> float:
    began = time.perf_counter()
    response = client.get(address)
    duration = (time.perf_counter() - began) * 1000
    assert response.status_code == 200, response.status_code
    return duration


_FILL = (
    """
    INSERT INTO account (id, external_id, name, time_zone, active, created_at)
    SELECT n, 'account-' || n, 'Account ' || n, 'UTC', true, %(now)s FROM generate_series(1, 51) n
    """,
    """
    INSERT INTO company (id, account_id, external_id, name, active)
    SELECT n, CASE WHEN n <= 1000 THEN 1 ELSE 2 + n %% 50 END, 'company-' || n, 'Company ' || n,
           true
    FROM generate_series(1, 2000) n
    """,
    """
    INSERT INTO integration (account_id, company_id, external_id, name, provider, fix_url,
                             connection, state, state_since, reported_at, reason_code,
                             reason_message)
    SELECT CASE WHEN company <= 1000 THEN 1 ELSE 2 + company %% 50 END, company,
           'integration-' || n,
           (ARRAY['Google Ads', 'Meta Ads', 'HubSpot CRM', 'Shopify', 'Calendar'])[1 + n %% 5]
               || ' ' || n,
           'provider-' || least(39, floor(40 * power(random(), 2))), 'https://fix.example/' || n,
           '', state, since, since, '', CASE WHEN state = 'failed' THEN 'Its sign-in has expired.'
                                             ELSE '' END
    FROM (
        SELECT n, 1 + n %% 2000 AS company, %(now)s - random() * interval '400 days' AS since,
               CASE WHEN n %% 97 = 0 THEN 'failed' WHEN n %% 89 = 0 THEN 'pending'
                    WHEN n %% 53 = 0 THEN 'disabled' ELSE 'active' END AS state
        FROM generate_series(1, 200000) n
    ) AS made
    """,
    """
    INSERT INTO member (id, account_id, external_id, email, email_verified, name, role, active)
    SELECT n, 1,
           CASE n WHEN 1 THEN 'ada' WHEN 2 THEN 'max' WHEN 3 THEN 'mia' ELSE 'member-' || n END,
           'member-' || n || '@bench.example', true, 'Member ' || n,
           CASE WHEN n = 1 OR n %% 100 = 0 THEN 'administrator' ELSE 'manager' END, true
    FROM generate_series(1, 300) n
    """,
    """
    INSERT INTO assignment (account_id, member_id, company_id)
    SELECT 1, 2, n FROM generate_series(1, 20) n
    UNION ALL SELECT 1, 3, 2 * n FROM generate_series(1, 500) n
    UNION ALL SELECT 1, m, 1 + (m * 37 + n) %% 1000
    FROM generate_series(4, 300) m, generate_series(1, 10) n WHERE m %% 100 <> 0
    """,
    """
    INSERT INTO subscription (account_id, member_id, covers_all, origin, created_at,
                              unsubscribed_by_link, tells_recovery)
    SELECT 1, id, true, 'platform', %(now)s, false, false FROM member
    """,
    "ANALYZE",
)
