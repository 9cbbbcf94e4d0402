"""Whom and what an actor may choose when they make or edit an alert (SPEC R16, R18, R21).

Reads only, for the forms; `subscribing` asks `rules.permissions` again when it is saved.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from integration_alerts.alerts.models import Subscription
from integration_alerts.directory.models import Company, Member
from integration_alerts.directory.people import people
from integration_alerts.rules import permissions
from integration_alerts.rules.eligibility import Role
from integration_alerts.rules.permissions import Denial, Person, Scope

TAKEN = "has an alert already"
_REASONS = {
    Denial.REPORTING_RECIPIENT: "Reporting user, gets no alerts",
    Denial.ADMINISTRATORS_ALERT: "Administrator, only Administrators can choose them",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A member in the list of possible recipients; `reason` says why they cannot be chosen."""

    member: Member
    person: Person
    reason: str

    @property
    def found_by(self) -> str:
        """What a search looks in: not in an address that the list does not show either."""
        shown = self.reason in {"", TAKEN}
        return f"{self.member.name} {self.member.email}" if shown else self.member.name


@dataclass(frozen=True, slots=True)
class Choices:
    """Everybody in the list, those who can be chosen first; the others have no shared company."""

    listed: list[Choice]
    strangers: int


def recipients(actor: Person) -> Choices:
    """The members of the account as possible recipients.

    A Manager does not learn who the members are with whom they share no company: only how many.
    """
    members = list(
        Member.objects.filter(account=actor.account, active=True)
        .annotate(taken=Exists(Subscription.objects.filter(member=OuterRef("pk"))))
        .order_by("name", "id")
    )
    persons = people(members)
    choices: list[Choice] = []
    strangers = 0
    for member in members:
        denial = _denial(actor, persons[member.pk])
        if denial is Denial.NO_SHARED_COMPANY:
            strangers += 1
            continue
        reason = _REASONS[denial] if denial else (TAKEN if member.taken else "")
        choices.append(Choice(member, persons[member.pk], reason))
    choices.sort(key=lambda choice: bool(choice.reason))
    return Choices(choices, strangers)


def companies(actor: Person, recipient: Person, current: Scope | None = None) -> QuerySet[Company]:
    """The companies that may be chosen for this recipient, by name."""
    scope = current or Scope(frozenset())
    listed = Q(active=True) | Q(pk__in=scope.chosen or ())
    rows = Company.objects.filter(listed, account=recipient.account).order_by("name", "id")
    allowed = permissions.choosable(actor, recipient, scope)
    return rows if allowed is None else rows.filter(pk__in=allowed)


def matching(
    rows: QuerySet[Company], text: str, chosen: Collection[int], limit: int
) -> tuple[list[Company], int]:
    """The chosen ones, and of the others those whose name holds `text`; how many are left out."""
    first = list(rows.filter(pk__in=chosen))
    others = rows.exclude(pk__in=chosen).filter(name__icontains=text)
    found = list(others[:limit])
    more = 0 if len(found) < limit else others.count() - len(found)
    return first + found, more


def _denial(actor: Person, recipient: Person) -> Denial | None:
    # R21 as far as it can be told without the companies: a Reporting colleague without a shared
    # company is as unknown as a Manager without one.
    denial = permissions.reach(actor, recipient)
    if denial is None and recipient.role is Role.REPORTING:
        return Denial.REPORTING_RECIPIENT
    return denial
