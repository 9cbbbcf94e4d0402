"""Who is told about a company's integrations now (SPEC R11 to R14).

Fetches the facts; `rules.eligibility` decides. The same facts serve composing, the check right
before sending, and every page that says who will be told.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from integration_alerts.directory.columns import array, columns
from integration_alerts.directory.statements import fetch
from integration_alerts.rules.eligibility import Candidate, Obstacle, Role, obstacle


@dataclass(frozen=True, slots=True)
class Recipient:
    """A member who may be told about a company, with the current address (R13)."""

    member_id: int
    company_id: int
    address: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether one member may be told about one company now; `obstacle` is None if so."""

    address: str
    obstacle: Obstacle | None


def recipients(company_ids: Collection[int]) -> dict[int, list[Recipient]]:
    """Everybody who may be told about each of these companies, in the order of their addresses."""
    found: dict[int, list[Recipient]] = {company_id: [] for company_id in company_ids}
    for member_id, company_id, address, candidate in _fetch(_WITH_ACCESS, [array(company_ids)]):
        if obstacle(candidate) is None:
            found[company_id].append(Recipient(member_id, company_id, address))
    for told in found.values():
        told.sort(key=lambda recipient: (recipient.address, recipient.member_id))
    return found


def verdicts(pairs: Collection[tuple[int, int]]) -> dict[tuple[int, int], Verdict]:
    """For each (member id, company id): whether that member may be told about it now (R12)."""
    return {
        (member_id, company_id): Verdict(address, obstacle(candidate))
        for member_id, company_id, address, candidate in _fetch(_OF_PAIRS, columns(pairs, 2))
    }


def _fetch(sql: str, parameters: list[str]) -> Iterable[tuple[int, int, str, Candidate]]:
    for member_id, company_id, address, role, *facts in fetch(sql, parameters):
        yield member_id, company_id, address, Candidate(_ROLES[role], *facts)


_ROLES = {role.value: role for role in Role}

# The columns are the fields of rules.eligibility.Candidate, in their order. What is asked for each
# row is asked in a way that only an index answers: an EXISTS may be answered by reading a whole
# table. Suppressions (there is one at most, in suppression_once) are counted for that reason.
_FACTS = """
SELECT member.id, company.id, member.email, member.role, member.active, member.email_verified,
       {assigned},
       subscription.id IS NOT NULL,
       subscription.paused_at IS NOT NULL,
       coalesce(subscription.covers_all, false) OR (
           SELECT count(*) > 0 FROM covered_company
           WHERE covered_company.subscription_id = subscription.id
             AND covered_company.company_id = company.id),
       (SELECT count(*) > 0 FROM suppression
        WHERE suppression.member_id = member.id AND suppression.address = member.email
          AND suppression.lifted_at IS NULL)
"""

# Starts from those who have access, which two indexes answer: assignment_once by company, and
# member_administrators. An Administrator's own assignments do not matter. Whoever has no
# subscription at all drops out in the join. OFFSET 0 has PostgreSQL go from each insider to their
# row: joined with all members and subscriptions, the cost of a mail would grow with their number.
_WITH_ACCESS = (
    _FACTS.format(assigned="insider.assigned")
    + """
FROM company
CROSS JOIN LATERAL (
    SELECT member_id AS id, true AS assigned FROM assignment
    WHERE assignment.company_id = company.id
    UNION ALL
    SELECT id, false FROM member
    WHERE member.account_id = company.account_id AND member.role = 'administrator'
) AS insider
CROSS JOIN LATERAL (SELECT * FROM member WHERE member.id = insider.id OFFSET 0) AS member
CROSS JOIN LATERAL (
    SELECT * FROM subscription WHERE subscription.member_id = member.id OFFSET 0
) AS subscription
WHERE company.id = ANY(%s::bigint[])
  AND insider.assigned = (member.role <> 'administrator')"""
)

_OF_PAIRS = (
    _FACTS.format(
        assigned="""(SELECT count(*) > 0 FROM assignment
        WHERE assignment.company_id = company.id AND assignment.member_id = member.id)"""
    )
    + """
FROM unnest(%s::bigint[], %s::bigint[]) AS pair (member_id, company_id)
JOIN member ON member.id = pair.member_id
JOIN company ON company.id = pair.company_id AND company.account_id = member.account_id
LEFT JOIN subscription ON subscription.member_id = member.id"""
)
