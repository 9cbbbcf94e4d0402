"""Members as the permission rules see them.

Decides nothing: `rules.permissions` does.
"""

from collections.abc import Collection
from typing import overload

from integration_alerts.directory.models import Assignment, Member
from integration_alerts.rules.eligibility import Role
from integration_alerts.rules.permissions import Person


@overload
def person(member: Member) -> Person: ...
@overload
def person(member: None) -> None: ...
def person(member: Member | None) -> Person | None:
    """One member as a person; None, the platform, stays None."""
    return None if member is None else people([member])[member.pk]


def people(members: Collection[Member]) -> dict[int, Person]:
    """Members as persons by their ids, with one query for all of their companies."""
    companies: dict[int, set[int]] = {member.pk: set() for member in members}
    rows = Assignment.objects.filter(member__in=companies)
    for member_id, company_id in rows.values_list("member_id", "company_id"):
        companies[member_id].add(company_id)
    return {
        member.pk: Person(
            member.pk, Role(member.role), frozenset(companies[member.pk]), member.account_id
        )
        for member in members
    }
