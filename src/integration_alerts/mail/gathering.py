"""Fetching what a mail tells its reader, with a few statements however many notices it carries.

Of all of them it reads what their order needs, and the details of those that are shown.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from integration_alerts.mail.arranging import Arrangement, Cause, Item, Urgency, arrange
from integration_alerts.mail.brand import Brand
from integration_alerts.mail.letters import Letter, Links, NoticeFacts
from integration_alerts.mail.told import others
from integration_alerts.rules.eligibility import Role
from integration_alerts.rules.schedule import Step
from integration_alerts.rules.states import State

_PROBED = 100  # integrations of a connection whose history says who signed in
_THREADED = 500  # incidents whose earlier mails are looked for


@dataclass(frozen=True, slots=True)
class Draft:
    """An email that is to be written: where it goes, and what it is called."""

    id: int
    account_id: int
    member_id: int
    message_id: str
    date: datetime  # what "2 hours ago" is reckoned from
    address: str


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the links in a mail begin."""

    public_url: str
    links: Links

    def integration(self, account_id: int, integration_id: int) -> str:
        """The page of an integration."""
        return f"{self.public_url}/accounts/{account_id}/integrations/{integration_id}"


@dataclass(frozen=True, slots=True)
class Gathered:
    """What an email tells, and what it follows."""

    letter: Letter
    earlier: list[str]  # Message-IDs of mails to this member about the same, oldest first


def gather(draft: Draft, addresses: Addresses) -> Gathered | None:
    """The letter of an email; None when it has nothing to tell."""
    rows = _all(_ITEMS, [draft.id])
    if not rows:
        return None
    arrangement = arrange(_item(row) for row in rows)
    (row,) = _all(_READER, [draft.id, _THREADED, draft.id, draft.member_id])
    account, zone, *brand, reader, role, origin, earlier = row
    companies = {
        item.company for item in arrangement.shown if item.urgency is not Urgency.RECOVERED
    }
    about = others(draft.member_id, Role(role), companies, _connected(arrangement.causes))
    letter = Letter(
        written_at=draft.date,
        account=account,
        time_zone=zone,
        brand=Brand.of(*brand),
        reader=reader,
        origin=origin,
        links=addresses.links,
        arrangement=arrangement,
        notices=_details(draft.account_id, arrangement, addresses),
        told=about.told,
        connected_by=about.connected_by,
    )
    return Gathered(letter, earlier)


def _item(row: tuple[Any, ...]) -> Item:
    notice, integration, company, name, state, step, since, connection_ = row
    return Item(notice, integration, company, name, State(state), Step(step), since, connection_)


def _details(
    account_id: int, arrangement: Arrangement, addresses: Addresses
) -> dict[int, NoticeFacts]:
    items = {item.notice: item for item in (*arrangement.shown, *arrangement.needing[:1])}
    return {
        notice: NoticeFacts(
            items[notice],
            *texts,
            flapping=flapping,
            page_url=addresses.integration(account_id, items[notice].integration),
        )
        for notice, flapping, *texts in _all(_DETAILS, [list(items)])
    }


def _connected(causes: Collection[Cause]) -> dict[str, int]:
    """The member who last set up or activated something with each of these connections."""
    probed = [
        (item.integration, cause.connection) for cause in causes for item in cause.items[:_PROBED]
    ]
    if not probed:
        return {}
    columns = [list(column) for column in zip(*probed, strict=True)]
    return dict(_all(_CONNECTED, columns))


def _all(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


# The last column is the thread: sent mails to this member about the same incidents.
_READER = """
SELECT account.name, account.time_zone, account.brand_name, account.logo_url, account.brand_colour,
       account.reply_to, member.name, member.role, coalesce(subscription.origin, ''),
       ARRAY(
    SELECT email.message_id
    FROM (
        SELECT DISTINCT notice.incident_id
        FROM email_notice
        JOIN notice ON notice.id = email_notice.notice_id
        WHERE email_notice.email_id = %s AND NOT email_notice.released
        ORDER BY notice.incident_id LIMIT %s
    ) AS told
    JOIN notice ON notice.incident_id = told.incident_id
    JOIN email_notice ON email_notice.notice_id = notice.id AND NOT email_notice.released
        AND email_notice.member_id = member.id
    JOIN email ON email.id = email_notice.email_id
    WHERE email.status IN ('sent', 'bounced') AND email.id <> %s
    GROUP BY email.id, email.message_id
    ORDER BY email.id)
FROM member
JOIN account ON account.id = member.account_id
LEFT JOIN subscription ON subscription.member_id = member.id
WHERE member.id = %s"""

# The columns are the fields of arranging.Item. The company is the one that the reader may see,
# which the integration may have left (R15).
_ITEMS = """
SELECT notice.id, incident.integration_id, company.id, company.name, notice.state, notice.step,
       notice.state_since, integration.connection
FROM email_notice
JOIN notice ON notice.id = email_notice.notice_id
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
JOIN company ON company.id = email_notice.company_id
WHERE email_notice.email_id = %s AND NOT email_notice.released
ORDER BY notice.id"""

# The columns after `flapping` are fields of letters.NoticeFacts, in their order.
_DETAILS = """
SELECT notice.id, notice.flapping, coalesce(nullif(integration.name, ''), integration.external_id),
       integration.provider, integration.reason_code, integration.reason_message,
       integration.fix_url
FROM notice
JOIN incident ON incident.id = notice.incident_id
JOIN integration ON integration.id = incident.integration_id
WHERE notice.id = ANY(%s)"""

# Served by the index state_change_timeline.
_CONNECTED = """
SELECT DISTINCT ON (shared.connection) shared.connection, member.id
FROM unnest(%s::bigint[], %s::text[]) AS shared (integration_id, connection)
JOIN integration ON integration.id = shared.integration_id
CROSS JOIN LATERAL (
    SELECT actor, occurred_at FROM state_change
    WHERE state_change.integration_id = shared.integration_id
      AND actor <> '' AND state IN ('pending', 'active')
    ORDER BY occurred_at DESC LIMIT 1
) AS latest
JOIN member ON member.account_id = integration.account_id AND member.external_id = latest.actor
ORDER BY shared.connection, latest.occurred_at DESC, member.id"""
