"""The providers of an account's integrations, as a reader may know them: reads only."""

from collections.abc import Collection

from django.db import connection


def providers(account_id: int, company_ids: Collection[int] | None, limit: int) -> list[str]:
    """The providers of the integrations that the reader may see, by name, at most `limit`."""
    seen = "" if company_ids is None else _SEEN_PROVIDER
    with connection.cursor() as cursor:
        cursor.execute(
            _PROVIDERS.format(seen=seen),
            {"account": account_id, "companies": list(company_ids or ()), "limit": limit},
        )
        return [name for (name,) in cursor.fetchall()]


# Hops over the index integration_providers from one provider to the next.
_PROVIDERS = """
WITH RECURSIVE hop (provider) AS (
    (SELECT provider FROM integration
     WHERE account_id = %(account)s AND provider > '' AND deleted_at IS NULL
     ORDER BY provider LIMIT 1)
    UNION ALL
    SELECT (SELECT provider FROM integration
            WHERE account_id = %(account)s AND provider > hop.provider AND deleted_at IS NULL
            ORDER BY provider LIMIT 1)
    FROM hop WHERE hop.provider IS NOT NULL
)
SELECT provider FROM hop WHERE provider IS NOT NULL{seen} LIMIT %(limit)s"""

_SEEN_PROVIDER = """
 AND EXISTS (SELECT FROM integration
             WHERE account_id = %(account)s AND integration.provider = hop.provider
               AND deleted_at IS NULL AND company_id = ANY(%(companies)s))"""
