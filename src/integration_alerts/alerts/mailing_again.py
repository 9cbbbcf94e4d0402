"""Lifting a suppression: mail to an address that was held back goes out again."""

from datetime import datetime

from integration_alerts.alerts.models import Subscription
from integration_alerts.alerts.subscribing import NotAllowed, scope_of
from integration_alerts.directory import suppressions
from integration_alerts.directory.models import Member, Suppression
from integration_alerts.directory.people import person
from integration_alerts.rules import permissions
from integration_alerts.rules.suppression import BounceKind


def mail_again(
    subscription: Subscription, suppression: Suppression, now: datetime, *, actor: Member | None
) -> bool:
    """Lift it; raises NotAllowed. False: somebody has lifted it already."""
    denial = permissions.may_mail_again(
        person(actor),
        person(subscription.member),
        scope_of(subscription),
        complained=is_complaint(suppression),
    )
    if denial is not None:
        raise NotAllowed(denial)
    return suppressions.lift(suppression, now, actor)


def is_complaint(suppression: Suppression) -> bool:
    """Whether the recipient has called a mail spam: then only they can lift it."""
    return suppression.kind == BounceKind.COMPLAINT
