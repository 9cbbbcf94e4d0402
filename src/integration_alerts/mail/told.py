"""Who else is told about a company: only those whom the reader may know are named.

The rules are `rules.permissions`; here the facts they ask for are fetched, and put into words.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from heapq import merge
from itertools import islice

from integration_alerts.alerts.recipients import recipients
from integration_alerts.directory.statements import fetch
from integration_alerts.mail.text import count, joined
from integration_alerts.rules.eligibility import Role
from integration_alerts.rules.permissions import Person, reach

_NAMED = 2


@dataclass(slots=True)
class _Circle:
    """Everybody who is told about a company."""

    company: int
    members: set[int]
    names: dict[Role, list[tuple[str, int]]] = field(default_factory=lambda: defaultdict(list))
    """By role, in order; whoever has no name is only counted."""


def others(
    readers: Mapping[int, Role], asked: Collection[tuple[int, int]]
) -> dict[tuple[int, int], str]:
    """For each (member id, company id): who else is told about the company, for this member.

    `readers` holds the roles of these members.
    """
    circles = _circles({company for _, company in asked})
    return {
        (reader, company): _in_words(reader, readers[reader], circles[company])
        for reader, company in asked
    }


def in_words(names: Collection[str], number: int) -> str:
    """`Ana, Mei and 1 other`: `number` people, of whom these come first and may be named."""
    if not number:
        return "nobody else"
    if not names:
        return count(number, "other person", "other people")
    hidden = number - len(names)
    return joined([*names, count(hidden, "other")] if hidden else [*names])


def _in_words(reader_id: int, role: Role, circle: _Circle) -> str:
    # A Manager who is told about a company has access to it, so it is one that they share (R11).
    # Who is not told, or not any more, shares none that is known here, and reads no names.
    shared = frozenset({circle.company} if reader_id in circle.members else ())
    reader = Person(reader_id, role, shared)
    known = (
        names
        for their_role, names in circle.names.items()
        if reach(reader, Person(0, their_role, frozenset({circle.company}))) is None
    )
    names = (name for name, member in merge(*known) if member != reader_id)
    return in_words([*islice(names, _NAMED)], len(circle.members - {reader_id}))


def _circles(company_ids: Collection[int]) -> dict[int, _Circle]:
    if not company_ids:
        return {}
    circles = {
        company: _Circle(company, {each.member_id for each in found})
        for company, found in recipients(company_ids).items()
    }
    # Whoever is alone is the reader, and is not named.
    several = [circle for circle in circles.values() if len(circle.members) > 1]
    names = _names({member for circle in several for member in circle.members})
    for circle in several:
        for member in circle.members:
            name, role = names[member]
            if name:
                circle.names[role].append((name, member))
        for in_order in circle.names.values():
            in_order.sort()
    return circles


def _names(member_ids: Collection[int]) -> dict[int, tuple[str, Role]]:
    if not member_ids:
        return {}
    rows = fetch("SELECT id, name, role FROM member WHERE id = ANY(%s)", [list(member_ids)])
    return {member: (name, Role(role)) for member, name, role in rows}
