"""Who will be told, as far as a viewer may know it: names of some, a number of the others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from integration_alerts.alerts.recipients import recipients
from integration_alerts.directory.models import Member
from integration_alerts.directory.people import people
from integration_alerts.rules.permissions import may_know, reach
from integration_alerts.web.viewer import Viewer
from integration_alerts.web.wording import count

_NAMED = 2


@dataclass(frozen=True, slots=True)
class Known:
    """Members of the account, and which of their alerts the viewer may see."""

    members: dict[int, Member]
    reachable: frozenset[int]


def known(viewer: Viewer, member_ids: Iterable[int]) -> Known:
    """Look up members by their ids, and whose alerts this viewer may see."""
    members = Member.objects.in_bulk(list(member_ids))
    return Known(members, reachable(viewer, members.values()))


def reachable(viewer: Viewer, members: Iterable[Member]) -> frozenset[int]:
    """Those of these members whose alerts this viewer may see (the permission table)."""
    persons = people(list(members)).values()
    return frozenset(each.id for each in persons if reach(viewer.person, each) is None)


def knowable(viewer: Viewer, members: Iterable[Member]) -> frozenset[int]:
    """Those of these members whose names this viewer may read where it tells of what they did."""
    persons = people(list(members)).values()
    return frozenset(each.id for each in persons if may_know(viewer.person, each))


def told_about(viewer: Viewer, company_ids: set[int]) -> dict[int, str]:
    """For each company who will be told, in words; empty where nobody would be."""
    found = recipients(company_ids)
    ids = {recipient.member_id for told in found.values() for recipient in told}
    everybody = known(viewer, ids)
    return {
        company_id: in_words(viewer, [recipient.member_id for recipient in told], everybody)
        for company_id, told in found.items()
    }


def in_words(viewer: Viewer, member_ids: Sequence[int], everybody: Known) -> str:
    """`You, Mei Tanaka and 1 other`: nobody else's name than those the viewer may know."""
    own = viewer.member.pk
    seen = everybody.reachable & set(member_ids) - {own}
    names = sorted((everybody.members[each].name, each) for each in seen)
    parts = ["You"] if own in member_ids else []
    parts += [name for name, _ in names[: _NAMED - len(parts)]] if names else []
    others = len(member_ids) - len(parts)
    if not parts:
        return count(others, "person", "people") if others else ""
    if others:
        parts.append(count(others, "other"))
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
