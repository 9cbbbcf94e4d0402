"""The alerts of an account as one actor may see them (SPEC R20, R21 and the permission table).

Reads only. `rules.permissions` decides what is visible, `rules.eligibility` who receives.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from integration_alerts.alerts.models import CoveredCompany, Subscription
from integration_alerts.directory import suppressions
from integration_alerts.directory.models import Company, Member, Suppression
from integration_alerts.directory.people import people
from integration_alerts.rules import permissions
from integration_alerts.rules.eligibility import Candidate, Obstacle, obstacle
from integration_alerts.rules.permissions import ALL_COMPANIES, Denial, Person, Scope


@dataclass(frozen=True, slots=True)
class Alert:
    """A subscription with what an actor may know of it."""

    subscription: Subscription
    recipient: Person
    scope: Scope
    seen: tuple[Company, ...]
    """The chosen companies that the actor may see, by name."""
    hidden: int
    """How many chosen companies the actor has no access to."""
    obstacle: Obstacle | None
    """Why the recipient gets no mail at all at present; None: they do."""
    suppression: Suppression | None
    """Why mail to the current address is held back; None: it is not."""
    keeps: Denial | None
    """Why the actor may not delete, pause or resume it; None: they may."""
    creator: Member | None
    """Who made it; None: the platform, or somebody whom the actor may not know."""

    @property
    def member(self) -> Member:
        """The recipient."""
        return self.subscription.member


def visible_alerts(actor: Person) -> list[Alert]:
    """Every alert of the account that the actor may see, by the recipients' names."""
    rows = Subscription.objects.filter(account=actor.account)
    return _as_seen(actor, list(_with_people(rows).order_by("member__name", "member_id")))


def visible_alert(actor: Person, subscription_id: int) -> Alert | None:
    """One alert of the actor's account; None if there is none, or none that they may see."""
    rows = Subscription.objects.filter(account=actor.account, pk=subscription_id)
    return next(iter(_as_seen(actor, list(_with_people(rows)))), None)


def has_alert(actor: Person) -> bool:
    """Whether the actor has an alert, paused or not."""
    return Subscription.objects.filter(member=actor.id).exists()


def own_alert(actor: Person) -> Alert | None:
    """The actor's own alert; None if they have none."""
    rows = Subscription.objects.filter(account=actor.account, member=actor.id)
    return next(iter(_as_seen(actor, list(_with_people(rows)))), None)


def _with_people(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    return rows.select_related("member", "created_by")


def _as_seen(actor: Person, subscriptions: Sequence[Subscription]) -> list[Alert]:
    recipients = people([subscription.member for subscription in subscriptions])
    visible = [
        subscription
        for subscription in subscriptions
        if permissions.reach(actor, recipients[subscription.member_id]) is None
    ]
    chosen = _chosen(visible)
    names = _names(actor, chosen)
    creators = _known_creators(actor, visible)
    held_back = suppressions.current(each.member for each in visible)
    return [
        _alert(
            actor,
            recipients[each.member_id],
            each,
            chosen.get(each.pk),
            names,
            creators.get(each.created_by_id or 0),
            held_back.get(each.member_id),
        )
        for each in visible
    ]


def _alert(
    actor: Person,
    recipient: Person,
    subscription: Subscription,
    chosen: set[int] | None,
    names: dict[int, Company],
    creator: Member | None,
    suppression: Suppression | None,
) -> Alert:
    scope = ALL_COMPANIES if subscription.covers_all else Scope(frozenset(chosen or ()))
    seen = [names[company] for company in scope.chosen or () if company in names]
    return Alert(
        subscription=subscription,
        recipient=recipient,
        scope=scope,
        seen=tuple(sorted(seen, key=lambda company: (company.name, company.pk))),
        hidden=len(scope.chosen or ()) - len(seen),
        obstacle=_obstacle(subscription, recipient, scope, suppressed=suppression is not None),
        suppression=suppression,
        keeps=permissions.may_end(actor, recipient, scope),
        creator=creator,
    )


def _obstacle(
    subscription: Subscription, recipient: Person, scope: Scope, *, suppressed: bool
) -> Obstacle | None:
    """R11 for the company where it looks best: whether any mail can reach this recipient."""
    member = subscription.member
    reachable = recipient.companies if scope.chosen is None else recipient.companies & scope.chosen
    return obstacle(
        Candidate(
            role=recipient.role,
            active=member.active,
            email_verified=member.email_verified,
            assigned=bool(reachable),
            subscribed=True,
            paused=subscription.paused_at is not None,
            covered=True,
            suppressed=suppressed,
        )
    )


def _known_creators(actor: Person, subscriptions: Collection[Subscription]) -> dict[int, Member]:
    creators = {each.created_by.pk: each.created_by for each in subscriptions if each.created_by}
    persons = people(list(creators.values()))
    return {
        pk: creator for pk, creator in creators.items() if permissions.may_know(actor, persons[pk])
    }


def _chosen(subscriptions: Collection[Subscription]) -> dict[int, set[int]]:
    chosen: dict[int, set[int]] = {each.pk: set() for each in subscriptions if not each.covers_all}
    rows = CoveredCompany.objects.filter(subscription__in=chosen)
    for subscription_id, company_id in rows.values_list("subscription_id", "company_id"):
        chosen[subscription_id].add(company_id)
    return chosen


def _names(actor: Person, chosen: dict[int, set[int]]) -> dict[int, Company]:
    seen = permissions.seen(actor, set().union(*chosen.values()))
    return Company.objects.in_bulk(seen)
