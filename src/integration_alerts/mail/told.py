"""Who else is told, and who signed in: only those whom the reader may know are named.

The rules are `rules.permissions`; here the facts they ask for are fetched, and put into words.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import connection

from integration_alerts.alerts.recipients import recipients
from integration_alerts.mail.text import count, joined
from integration_alerts.rules.eligibility import Role
from integration_alerts.rules.permissions import Person, may_know, reach

_NAMED = 2


@dataclass(frozen=True, slots=True)
class Others:
    """What a mail says of other members."""

    told: dict[int, str]  # by company: who else, in words
    connected_by: dict[str, str]  # by connection: who signed in


def others(
    reader_id: int, role: Role, company_ids: Collection[int], connected: Mapping[str, int]
) -> Others:
    """Who else is told about these companies, and the names of those who connected something.

    `connected` holds member ids by connection.
    """
    told = {
        company_id: [found.member_id for found in all_ if found.member_id != reader_id]
        for company_id, all_ in recipients(company_ids).items()
    }
    ids = {*(member for members in told.values() for member in members), *connected.values()}
    reader, people, names = _people(reader_id, role, ids)
    reachable = {each.id for each in people.values() if reach(reader, each) is None}
    return Others(
        {
            company_id: in_words(
                [names[each] for each in members if each in reachable], len(members)
            )
            for company_id, members in told.items()
        },
        {
            connection_: names[member]
            for connection_, member in connected.items()
            if member == reader_id or may_know(reader, people[member])
        },
    )


def in_words(names: Collection[str], number: int) -> str:
    """`Ana, Mei and 1 other`: `number` people, of whom these may be named."""
    if not number:
        return "nobody else"
    parts = sorted(filter(None, names))[:_NAMED]
    if not parts:
        return count(number, "other person", "other people")
    hidden = number - len(parts)
    return joined([*parts, count(hidden, "other")] if hidden else parts)


def _people(
    reader_id: int, role: Role, member_ids: Collection[int]
) -> tuple[Person, dict[int, Person], dict[int, str]]:
    """The reader and these members, each with one company of those that both are assigned to.

    One is as good as all for the rules on who may know whom, and there may be thousands.
    """
    rows: list[tuple[int, str, str, int | None]] = []
    if member_ids:
        with connection.cursor() as cursor:
            cursor.execute(_PEOPLE, [reader_id, list(member_ids)])
            rows = cursor.fetchall()
    people = {
        member_id: Person(member_id, Role(member_role), frozenset({shared} if shared else ()))
        for member_id, _, member_role, shared in rows
    }
    companies = frozenset(shared for *_, shared in rows if shared)
    return Person(reader_id, role, companies), people, {row[0]: row[1] for row in rows}


_PEOPLE = """
SELECT member.id, member.name, member.role, (
    SELECT theirs.company_id FROM assignment AS theirs
    JOIN assignment AS own ON own.company_id = theirs.company_id AND own.member_id = %s
    WHERE theirs.member_id = member.id ORDER BY theirs.company_id LIMIT 1)
FROM member
WHERE member.id = ANY(%s)"""
