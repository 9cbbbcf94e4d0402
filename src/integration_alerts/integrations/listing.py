"""Integrations as the pages list them: what needs somebody first, a page at a time.

Reads only. `company_ids` are the companies that the reader may see; None: all of the account.
Companies that are switched off and deleted integrations are left out.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from integration_alerts.integrations.models import ATTENTION_BAND, ATTENTION_ORDER, Integration
from integration_alerts.rules.states import State

NEVER = "never"  # the filter for integrations that nothing was reported of
COUNTED = 1000  # more are not counted: "more than 1,000"
_WORDS = 5
_MANY = 200  # from here on, reading past what is out of sight costs less than asking each company


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page begins: after this row of the order (attention, id)."""

    attention: int
    id: int

    def __str__(self) -> str:
        return f"{self.attention}.{self.id}"


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for; an empty value asks for nothing. `text` in any case, word by word."""

    state: str = ""
    company: int | None = None
    provider: str = ""
    text: str = ""

    @property
    def words(self) -> list[str]:
        """The words of `text`; all of them must be found."""
        return self.text.split()[:_WORDS]

    def __bool__(self) -> bool:
        return bool(self.state or self.company is not None or self.provider or self.words)


@dataclass(frozen=True, slots=True)
class Listed:
    """An integration in the list."""

    id: int
    attention: int
    name: str
    provider: str
    state: str | None
    since: datetime | None
    reason_code: str
    reason_message: str
    company_id: int
    company: str
    last_opened_at: datetime | None
    flapping_since: datetime | None

    @property
    def position(self) -> Position:
        """Where the page after this row begins."""
        return Position(self.attention, self.id)


def anything_failed(account_id: int, company_ids: Collection[int] | None) -> bool:
    """Whether a failed integration is among those that the reader may see."""
    failed = Integration.objects.filter(
        account=account_id, deleted_at=None, attention__lte=0, attention__gt=-ATTENTION_BAND,
        company__active=True,
    )  # fmt: skip
    if company_ids is not None:
        failed = failed.filter(company__in=company_ids)
    return failed.exists()


def read_position(text: str) -> Position | None:
    """The position that an address names; None if it names none."""
    found = re.fullmatch(r"(-?[0-9]{1,18})\.([0-9]{1,18})", text)
    return found and Position(int(found[1]), int(found[2]))


def listed(
    account_id: int,
    company_ids: Collection[int] | None,
    filters: Filters,
    limit: int,
    after: Position | None = None,
) -> list[Listed]:
    """At most `limit` integrations that match, what needs somebody first, after a position."""
    companies = _narrowed(company_ids, filters.company)
    conditions, values = _conditions(account_id, filters, after)
    parameters: dict[str, Any] = {
        **values, "account": account_id, "companies": companies, "limit": limit,
    }  # fmt: skip
    # A search may have to read all there is, and then what is out of sight is read for nothing.
    many = companies is not None and len(companies) > _MANY and not filters.words
    if many:
        conditions.append(_OF_COMPANIES)
    form = _IN_ACCOUNT if many or companies is None else _IN_COMPANIES
    with connection.cursor() as cursor:
        cursor.execute(form.format(conditions="".join(conditions)), parameters)
        return [Listed(*row) for row in cursor.fetchall()]


def counts(account_id: int, company_ids: Collection[int] | None) -> dict[State | None, int]:
    """How many integrations are in each state; more than COUNTED are not counted on."""
    form = _COUNT_IN_ACCOUNT if company_ids is None else _COUNT_IN_COMPANIES
    one = "(SELECT count(*) FROM (" + form + ") AS counted)"
    parts = [
        one.format(low=(band - 1) * ATTENTION_BAND, high=band * ATTENTION_BAND)
        for band in range(len(ATTENTION_ORDER))
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(parts)}",
            {
                "account": account_id,
                "companies": None if company_ids is None else list(company_ids),
                "limit": COUNTED + 1,
            },
        )
        return dict(zip(ATTENTION_ORDER, cursor.fetchone(), strict=True))


def _narrowed(seen: Collection[int] | None, chosen: int | None) -> list[int] | None:
    if chosen is None:
        return None if seen is None else list(seen)
    return [chosen] if seen is None or chosen in seen else []


def _conditions(
    account_id: int, filters: Filters, after: Position | None
) -> tuple[list[str], dict[str, Any]]:
    conditions: list[str] = []
    values: dict[str, Any] = {}
    if after is not None:
        conditions.append(" AND (attention, integration.id) > (%(attention)s, %(id)s)")
        values |= {"attention": after.attention, "id": after.id}
    if filters.state:
        band = _BANDS[filters.state]
        conditions.append(" AND attention > %(low)s AND attention <= %(high)s")
        values |= {"low": (band - 1) * ATTENTION_BAND, "high": band * ATTENTION_BAND}
    if filters.provider:
        conditions.append(" AND provider = %(provider)s")
        values["provider"] = filters.provider
    for number, word in enumerate(filters.words):
        conditions.append(_MATCHES.format(number=number))
        values |= {f"word{number}": _pattern(word), f"named{number}": _named(account_id, word)}
    return conditions, values


def _named(account_id: int, word: str) -> list[int]:
    """The companies whose names hold a word: few, so that the integrations need no join."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM company WHERE account_id = %s AND lower(name) LIKE lower(%s)",
            [account_id, _pattern(word)],
        )
        return _ids(cursor.fetchall())


def _ids(rows: Iterable[tuple[int]]) -> list[int]:
    return [id_ for (id_,) in rows]


def _pattern(word: str) -> str:
    return "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"


_BANDS = {
    NEVER if state is None else state.value: band for band, state in enumerate(ATTENTION_ORDER)
}

_COLUMNS = """
SELECT integration.id, attention, coalesce(nullif(integration.name, ''), integration.external_id),
       provider, state, state_since, reason_code, reason_message, company.id, company.name,
       last_opened_at, flapping_since"""

# In the order of the index integration_attention, which ends with the last row wanted.
_IN_ACCOUNT = (
    _COLUMNS
    + """
FROM integration JOIN company ON company.id = integration.company_id
WHERE integration.account_id = %(account)s AND deleted_at IS NULL AND company.active{conditions}
ORDER BY attention, integration.id LIMIT %(limit)s"""
)

_OF_COMPANIES = " AND integration.company_id = ANY(%(companies)s)"

# Each company gives its first rows in the order of the index integration_in_company, which holds
# all that is needed to choose; the rows themselves are read for the chosen ones alone.
_IN_COMPANIES = (
    """
WITH chosen AS (
    SELECT first.id
    FROM company
    CROSS JOIN LATERAL (
        SELECT id, attention FROM integration
        WHERE company_id = company.id AND deleted_at IS NULL{conditions}
        ORDER BY attention, id LIMIT %(limit)s
    ) AS first
    WHERE company.id = ANY(%(companies)s) AND company.account_id = %(account)s AND company.active
    ORDER BY first.attention, first.id LIMIT %(limit)s
)"""
    + _COLUMNS
    + """
FROM chosen
JOIN integration ON integration.id = chosen.id
JOIN company ON company.id = integration.company_id
ORDER BY attention, integration.id"""
)

_MATCHES = """
 AND (lower(integration.name) LIKE lower(%(word{number})s)
      OR lower(integration.external_id) LIKE lower(%(word{number})s)
      OR lower(provider) LIKE lower(%(word{number})s)
      OR company_id = ANY(%(named{number})s))"""

_COUNT_IN_ACCOUNT = """
SELECT FROM integration JOIN company ON company.id = integration.company_id
WHERE integration.account_id = %(account)s AND deleted_at IS NULL AND company.active
  AND attention > {low} AND attention <= {high}
LIMIT %(limit)s"""

_COUNT_IN_COMPANIES = """
SELECT FROM company JOIN integration ON integration.company_id = company.id
WHERE company.id = ANY(%(companies)s) AND company.account_id = %(account)s AND company.active
  AND deleted_at IS NULL AND attention > {low} AND attention <= {high}
LIMIT %(limit)s"""
