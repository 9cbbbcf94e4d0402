"""Who may view, create, edit and delete whose subscription (SPEC R16 to R21).

Works on roles and company ids of one account. Where `actor` is None the platform itself acts: it is
bound by nothing but sense, and may subscribe somebody whose access comes later. Says nothing about
whether the recipient would be told at present: that is `eligibility`.
"""

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeGuard

from integration_alerts.rules.eligibility import Role


class Denial(StrEnum):
    """Why an actor may not; the text is what the actor reads."""

    UNKNOWN = "There is no such integration alert."  # of another account: it does not exist here
    REPORTING_ACTOR = "Reporting users have no access to integration alerts."
    REPORTING_RECIPIENT = "Reporting users cannot have an integration alert."
    ADMINISTRATORS_ALERT = "Only Administrators manage the alerts of Administrators."
    NO_SHARED_COMPANY = "You share no company with this user."
    ALL_COMPANIES = (
        "For another Manager you can choose only companies that both of you are assigned to, "
        "not all companies."
    )
    COMPANY_NOT_SHARED = (
        "For another Manager you can choose only companies that both of you are assigned to."
    )
    COVERS_MORE = "This alert covers companies that you have no access to."
    COMPANY_NOT_ACCESSIBLE = "The recipient has no access to one of these companies."
    NO_COMPANY = "Choose at least one company, or all companies."
    RECIPIENT_UNSUBSCRIBED = (
        "The recipient unsubscribed by a link in a mail. Only they can resume this alert."
    )
    RECIPIENT_COMPLAINED = (
        "The recipient reported a mail as spam. Only they can have mail sent to this address again."
    )


@dataclass(frozen=True, slots=True)
class Person:
    """A member as the permission rules see one; `companies` are the assigned ones."""

    id: int
    role: Role
    companies: Set[int] = frozenset()
    account: int = 0

    @property
    def is_administrator(self) -> bool:
        """Whether the role is Administrator."""
        return self.role is Role.ADMINISTRATOR

    def may_access(self, companies: Set[int]) -> bool:
        """Whether every one of these companies is open to this person."""
        return self.is_administrator or companies <= self.companies


@dataclass(frozen=True, slots=True)
class Scope:
    """The companies that a subscription covers: all (`chosen` is None), or the chosen ones."""

    chosen: frozenset[int] | None = None

    @property
    def covers_all(self) -> bool:
        """Whether it covers all companies, future ones included (R14)."""
        return self.chosen is None


ALL_COMPANIES = Scope()


def reach(actor: Person | None, recipient: Person) -> Denial | None:
    """Whether the actor may deal with the recipient's subscription at all; None: yes.

    This is the permission table of SPEC section 3, before R21 looks at the companies. A recipient
    who was demoted to reporting keeps the subscription (R20), so others can still clear it away.
    """
    if actor is None:
        return None
    if actor.account != recipient.account:
        return Denial.UNKNOWN
    if actor.role is Role.REPORTING:
        return Denial.REPORTING_ACTOR
    if actor.is_administrator or actor.id == recipient.id:
        return None
    if recipient.is_administrator:
        return Denial.ADMINISTRATORS_ALERT
    if not actor.companies & recipient.companies:
        return Denial.NO_SHARED_COMPANY
    return None


def may_know(viewer: Person, other: Person) -> bool:
    """Whether the viewer may read who another member is, where it tells of what that one did.

    A Manager knows Administrators, and those with whom they share a company; Reporting users know
    nobody but themselves.
    """
    return reach(viewer, other) in {None, Denial.ADMINISTRATORS_ALERT} or viewer.id == other.id


def may_choose_all(actor: Person | None, recipient: Person) -> bool:
    """Whether the actor may give the recipient all companies (R21)."""
    return not _is_bound(actor, recipient)


def choosable(actor: Person, recipient: Person, current: Scope) -> frozenset[int] | None:
    """The companies that an edit may name; None: every company of the account (R18, R21).

    What is chosen already and can be seen by the actor stays choosable, also where the recipient
    lost it since (R20).
    """
    if recipient.is_administrator:
        return None
    chosen = current.chosen or frozenset()
    if _is_bound(actor, recipient):
        return frozenset((actor.companies & recipient.companies) | (chosen & actor.companies))
    return frozenset(recipient.companies | chosen)


def seen(actor: Person, companies: Set[int]) -> frozenset[int]:
    """Those of these companies whose names the actor may read (R21)."""
    return frozenset(companies if actor.is_administrator else companies & actor.companies)


def may_create(actor: Person | None, recipient: Person, wanted: Scope) -> Denial | None:
    """Whether the actor may give the recipient a subscription with this scope (R18, R21)."""
    if denied := reach(actor, recipient):
        return denied
    if recipient.role is Role.REPORTING:
        return Denial.REPORTING_RECIPIENT
    if wanted.chosen is None:
        return Denial.ALL_COMPANIES if _is_bound(actor, recipient) else None
    if not wanted.chosen:
        return Denial.NO_COMPANY
    if _is_bound(actor, recipient) and not wanted.chosen <= actor.companies & recipient.companies:
        return Denial.COMPANY_NOT_SHARED
    if actor is not None and not recipient.may_access(wanted.chosen):
        return Denial.COMPANY_NOT_ACCESSIBLE
    return None


def edited_scope(
    actor: Person | None, recipient: Person, current: Scope, wanted: Scope
) -> Scope | Denial:
    """The scope after an edit, or why it may not be made (R18, R21).

    A Manager who edits another Manager's subscription changes only companies that both share;
    those that the actor cannot see stay as they are.
    """
    if denied := reach(actor, recipient):
        return denied
    if not _is_bound(actor, recipient):
        return _whole_edit(actor, recipient, current, wanted)
    if current.chosen is None and not recipient.companies <= actor.companies:
        return Denial.COVERS_MORE
    if wanted.chosen is None:
        return Denial.ALL_COMPANIES
    shared = actor.companies & recipient.companies
    # What the recipient lost but the actor sees may be named; it stays either way (R20).
    seen = (current.chosen or frozenset()) & actor.companies
    if not wanted.chosen <= shared | seen:
        return Denial.COMPANY_NOT_SHARED
    kept = (current.chosen or frozenset()) - shared
    merged = Scope(frozenset(wanted.chosen | kept))
    return merged if merged.chosen else Denial.NO_COMPANY


def may_end(actor: Person | None, recipient: Person, current: Scope) -> Denial | None:
    """Whether the actor may delete, pause or resume a subscription as a whole (R21)."""
    if denied := reach(actor, recipient):
        return denied
    if not _is_bound(actor, recipient):
        return None
    if current.chosen is None:
        return None if recipient.companies <= actor.companies else Denial.COVERS_MORE
    return None if current.chosen <= actor.companies else Denial.COVERS_MORE


def may_resume(
    actor: Person | None, recipient: Person, current: Scope, *, unsubscribed_by_link: bool
) -> Denial | None:
    """Whether the actor may resume a paused subscription (R19)."""
    if denied := may_end(actor, recipient, current):
        return denied
    if unsubscribed_by_link and (actor is None or actor.id != recipient.id):
        return Denial.RECIPIENT_UNSUBSCRIBED
    return None


def may_mail_again(
    actor: Person | None, recipient: Person, current: Scope, *, complained: bool
) -> Denial | None:
    """Whether the actor may have mail sent again to an address that it came back from.

    As with resuming: whoever said that they want no mail is asked, and nobody else (R19).
    """
    if denied := may_end(actor, recipient, current):
        return denied
    if complained and (actor is None or actor.id != recipient.id):
        return Denial.RECIPIENT_COMPLAINED
    return None


def earns_subscription(role: Role) -> bool:
    """Whether activating an integration gives this role a subscription (R17)."""
    return role is not Role.REPORTING


def may_change_state(actor: Person, company: int) -> bool:
    """Whether the actor may activate, reset and disable the integrations of a company."""
    return actor.role is not Role.REPORTING and actor.may_access({company})


def may_read_mail(actor: Person, recipient: Person, companies: Set[int]) -> bool:
    """Whether the actor may read a mail to the recipient that tells of these companies."""
    return reach(actor, recipient) is None and actor.may_access(companies)


def _is_bound(actor: Person | None, recipient: Person) -> TypeGuard[Person]:
    """Whether R21 limits this actor: a Manager who deals with another Manager's subscription."""
    return actor is not None and not actor.is_administrator and actor.id != recipient.id


def _whole_edit(
    actor: Person | None, recipient: Person, current: Scope, wanted: Scope
) -> Scope | Denial:
    if wanted.chosen is None:
        return wanted
    if not wanted.chosen:
        return Denial.NO_COMPANY
    # A company that the recipient lost since then may stay chosen: R20 keeps it for their return.
    added = wanted.chosen - (current.chosen or frozenset())
    if actor is not None and not recipient.may_access(added):
        return Denial.COMPANY_NOT_ACCESSIBLE
    return wanted
