"""Making, changing and ending subscriptions, with the rights of whoever acts (SPEC R16 to R21).

`rules.permissions` decides; without an actor the platform itself acts, which may do everything
that makes sense. Does not decide who is told at the moment: that is `recipients`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction

from integration_alerts.alerts.models import CoveredCompany, Origin, Subscription
from integration_alerts.directory.models import Company, Member
from integration_alerts.directory.people import person
from integration_alerts.rules import permissions
from integration_alerts.rules.eligibility import Role
from integration_alerts.rules.permissions import Denial, Scope


class SubscribingError(Exception):
    """A subscription cannot be made or changed so; the message is for whoever asked."""


class NotAllowed(SubscribingError):
    """The rules of R16 to R21 forbid it; `denial` says which."""

    def __init__(self, denial: Denial) -> None:
        super().__init__(denial.value)
        self.denial = denial


class AlreadySubscribed(SubscribingError):
    """The member has a subscription (R16)."""

    def __init__(self, member: Member) -> None:
        super().__init__(f"{member.name} already has an integration alert; change that one.")


@dataclass(frozen=True, slots=True)
class Deleted:
    """A subscription that is gone, as it was."""

    values: dict[str, Any]
    scope: Scope
    member: Member


def create(
    recipient: Member,
    scope: Scope,
    now: datetime,
    *,
    actor: Member | None = None,
    tells_recovery: bool = False,
) -> Subscription:
    """Make a subscription; raises NotAllowed or AlreadySubscribed."""
    _demand(permissions.may_create(person(actor), person(recipient), scope))
    subscription = Subscription(
        account_id=recipient.account_id,
        member=recipient,
        covers_all=scope.covers_all,
        origin=Origin.MEMBER.value if actor else Origin.PLATFORM.value,
        created_by=actor,
        created_at=now,
        tells_recovery=tells_recovery,
    )
    return _insert(subscription, scope)


def change_scope(
    subscription: Subscription, wanted: Scope, *, actor: Member | None = None
) -> Subscription:
    """Change the covered companies; raises NotAllowed. What the actor cannot see stays (R21)."""
    with transaction.atomic():
        locked = _lock(subscription)
        scope = permissions.edited_scope(
            person(actor), person(locked.member), scope_of(locked), wanted
        )
        if isinstance(scope, Denial):
            raise NotAllowed(scope)
        locked.covers_all = scope.covers_all
        locked.save(update_fields=["covers_all"])
        _cover(locked, scope)
    return locked


def set_recovery(
    subscription: Subscription, *, tells_recovery: bool, actor: Member | None = None
) -> Subscription:
    """Opt in to or out of mails that say it is fixed (R10); raises NotAllowed."""
    with transaction.atomic():
        locked = _lock(subscription)
        _demand(_may_end(locked, actor))
        locked.tells_recovery = tells_recovery
        locked.save(update_fields=["tells_recovery"])
    return locked


def pause(
    subscription: Subscription, now: datetime, *, actor: Member | None = None
) -> Subscription:
    """Stop mails until resumed; raises NotAllowed. Pausing twice keeps the first time."""
    with transaction.atomic():
        locked = _lock(subscription)
        _demand(_may_end(locked, actor))
        return _pause(locked, now, by_link=False)


def unsubscribe(subscription: Subscription, now: datetime) -> Subscription:
    """Pause by the link in a mail: needs no sign-in, and only the recipient resumes (R19)."""
    with transaction.atomic():
        return _pause(_lock(subscription), now, by_link=True)


def resume(subscription: Subscription, *, actor: Member | None = None) -> Subscription:
    """Let mails go out again; raises NotAllowed."""
    with transaction.atomic():
        locked = _lock(subscription)
        _demand(
            permissions.may_resume(
                person(actor),
                person(locked.member),
                scope_of(locked),
                unsubscribed_by_link=locked.unsubscribed_by_link,
            )
        )
        locked.paused_at, locked.unsubscribed_by_link = None, False
        locked.save(update_fields=["paused_at", "unsubscribed_by_link"])
    return locked


def delete(subscription: Subscription, *, actor: Member | None = None) -> Deleted:
    """End a subscription for good; raises NotAllowed. Activating makes a new one (R17).

    Returns what `restore` needs to take it back.
    """
    with transaction.atomic():
        locked = _lock(subscription)
        _demand(_may_end(locked, actor))
        deleted = Deleted(
            {name: getattr(locked, name) for name in _KEPT}, scope_of(locked), locked.member
        )
        locked.delete()
    return deleted


def restore(deleted: Deleted, *, actor: Member | None = None) -> Subscription:
    """Take a deletion back, as it was; raises NotAllowed or AlreadySubscribed."""
    recipient = deleted.member
    _demand(permissions.may_end(person(actor), person(recipient), deleted.scope))
    return _insert(Subscription(**deleted.values), deleted.scope)


def subscribe_activators(activators: Collection[tuple[int, str]], now: datetime) -> int:
    """Give those who activated an integration a subscription, unless they have one (R17).

    `activators` are (account id, the platform's user id). Returns how many were made.
    """
    if not activators:
        return 0
    earning = [role.value for role in Role if permissions.earns_subscription(role)]
    accounts, users = ([pair[index] for pair in sorted(set(activators))] for index in (0, 1))
    with connection.cursor() as cursor:
        cursor.execute(_SUBSCRIBE, [Origin.AUTOMATIC.value, now, accounts, users, earning])
        return int(cursor.rowcount)


def scope_of(subscription: Subscription) -> Scope:
    """The companies that a subscription covers."""
    if subscription.covers_all:
        return permissions.ALL_COMPANIES
    covered = CoveredCompany.objects.filter(subscription=subscription)
    return Scope(frozenset(covered.values_list("company_id", flat=True)))


def scope(companies: Iterable[Company] | None) -> Scope:
    """A scope of these companies; None: all."""
    return Scope(None if companies is None else frozenset(company.pk for company in companies))


def _demand(denial: Denial | None) -> None:
    if denial is not None:
        raise NotAllowed(denial)


def _insert(subscription: Subscription, scope: Scope) -> Subscription:
    try:
        with transaction.atomic():
            subscription.save(force_insert=True)
            _cover(subscription, scope)
    except IntegrityError as error:
        if "subscription_one_per_member" not in str(error):
            raise
        raise AlreadySubscribed(subscription.member) from None
    return subscription


def _may_end(subscription: Subscription, actor: Member | None) -> Denial | None:
    recipient = person(subscription.member)
    return permissions.may_end(person(actor), recipient, scope_of(subscription))


def _lock(subscription: Subscription) -> Subscription:
    rows = Subscription.objects.select_related("member").select_for_update(of=("self",))
    return rows.get(pk=subscription.pk)


def _pause(subscription: Subscription, now: datetime, *, by_link: bool) -> Subscription:
    subscription.paused_at = subscription.paused_at or now
    subscription.unsubscribed_by_link |= by_link
    subscription.save(update_fields=["paused_at", "unsubscribed_by_link"])
    return subscription


def _cover(subscription: Subscription, scope: Scope) -> None:
    wanted = scope.chosen or frozenset()
    rows = CoveredCompany.objects.filter(subscription=subscription)
    current = set(rows.values_list("company_id", flat=True))
    rows.filter(company__in=current - wanted).delete()
    CoveredCompany.objects.bulk_create(
        CoveredCompany(
            account_id=subscription.account_id, subscription=subscription, company_id=company
        )
        for company in sorted(wanted - current)
    )


# What of a subscription outlives its deletion until it can no longer be taken back.
_KEPT = (
    "account_id", "member_id", "covers_all", "origin", "created_by_id", "created_at", "paused_at",
    "unsubscribed_by_link", "tells_recovery",
)  # fmt: skip

# ON CONFLICT: a paused or narrower subscription counts as had and is left as it is.
_SUBSCRIBE = """
INSERT INTO subscription (account_id, member_id, covers_all, origin, created_at, created_by_id,
                          unsubscribed_by_link, tells_recovery)
SELECT member.account_id, member.id, true, %s, %s, member.id, false, false
FROM unnest(%s::bigint[], %s::text[]) AS actor (account_id, external_id)
JOIN member USING (account_id, external_id)
WHERE member.role = ANY(%s) AND member.active
ORDER BY member.id
ON CONFLICT (member_id) DO NOTHING"""
