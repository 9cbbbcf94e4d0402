"""Who signed in with a connection that broke: named only to readers who may know them.

The rule is `rules.permissions.may_know`; here the facts it asks for are fetched.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from integration_alerts.directory.columns import columns
from integration_alerts.directory.statements import fetch
from integration_alerts.mail.arranging import Cause
from integration_alerts.rules.eligibility import Role
from integration_alerts.rules.permissions import Person, may_know

_PROBED = 100  # integrations of a connection whose history says who signed in


def connected_by(
    readers: Mapping[int, Role], causes: Mapping[int, tuple[int, Sequence[Cause]]]
) -> dict[int, dict[str, str]]:
    """By email and connection: the member who last set up or activated something with it.

    Of an email, `causes` holds its reader and its causes; the integrations of the cause itself are
    what says who that was, because the same connection may serve some that the reader cannot see.
    `readers` holds the readers' roles.
    """
    probed = {
        item.integration
        for _, shown in causes.values() for cause in shown for item in cause.items[:_PROBED]
    }  # fmt: skip
    if not probed:
        return {}
    signed_in = _signed_in(probed)
    found = {
        (email, cause.connection): (reader, member)
        for email, (reader, shown) in causes.items()
        for cause in shown
        if (member := _latest(cause, signed_in)) is not None
    }
    names = _names_known(readers, set(found.values()))
    known: dict[int, dict[str, str]] = {email: {} for email in causes}
    for (email, connection), pair in found.items():
        if pair in names:
            known[email][connection] = names[pair]
    return known


def _latest(cause: Cause, signed_in: Mapping[int, tuple[datetime, int]]) -> int | None:
    probed = (signed_in.get(item.integration) for item in cause.items[:_PROBED])
    found = max(filter(None, probed), key=lambda each: (each[0], -each[1]), default=None)
    return found[1] if found else None


def _signed_in(integration_ids: Collection[int]) -> dict[int, tuple[datetime, int]]:
    """By integration: when a member last set it up or activated it, and which member."""
    rows = fetch(_SIGNED_IN, [list(integration_ids)])
    return {integration: (at, member) for integration, at, member in rows}


def _names_known(
    readers: Mapping[int, Role], pairs: Collection[tuple[int, int]]
) -> dict[tuple[int, int], str]:
    """The names in these pairs of a reader and a member, where the reader may know the member.

    One company that both are assigned to is as good as all, and there may be thousands.
    """
    names = {}
    for reader_id, member_id, name, role, company in fetch(_PAIRS, columns(pairs, 2)):
        shared = frozenset({company} if company else ())
        reader = Person(reader_id, readers[reader_id], shared)
        if may_know(reader, Person(member_id, Role(role), shared)):
            names[reader_id, member_id] = name
    return names


# Served by the index state_change_timeline.
_SIGNED_IN = """
SELECT integration.id, latest.occurred_at, member.id
FROM unnest(%s::bigint[]) AS probed (id)
JOIN integration ON integration.id = probed.id
CROSS JOIN LATERAL (
    SELECT actor, occurred_at FROM state_change
    WHERE state_change.integration_id = probed.id
      AND actor <> '' AND state IN ('pending', 'active')
    ORDER BY occurred_at DESC LIMIT 1
) AS latest
JOIN member ON member.account_id = integration.account_id AND member.external_id = latest.actor"""

_PAIRS = """
SELECT pair.reader_id, member.id, member.name, member.role, (
    SELECT theirs.company_id FROM assignment AS theirs
    JOIN assignment AS own ON own.company_id = theirs.company_id AND own.member_id = pair.reader_id
    WHERE theirs.member_id = member.id ORDER BY theirs.company_id LIMIT 1)
FROM unnest(%s::bigint[], %s::bigint[]) AS pair (reader_id, member_id)
JOIN member ON member.id = pair.member_id"""
