"""Subscriptions from directory lines: the platform makes, changes and deletes them."""

from datetime import datetime

from integration_alerts.alerts import subscribing
from integration_alerts.alerts.models import Subscription
from integration_alerts.directory.directory_lines import SubscriptionLine
from integration_alerts.directory.importing import find_account, find_companies, required
from integration_alerts.directory.lines import LineError
from integration_alerts.directory.models import Account, Member
from integration_alerts.rules.permissions import Denial, Scope


def save_subscription(line: SubscriptionLine, now: datetime) -> None:
    """Make, change or delete a member's subscription; raises LineError.

    The platform may subscribe a member whose access comes later: whether somebody is told is
    decided anew for every mail (R12, R20).
    """
    account = find_account(line.account)
    member = _find_member(account, line.user)
    subscription = Subscription.objects.filter(member=member).first()
    if line.deleted:
        if subscription is not None:
            subscribing.delete(subscription)
        return
    if line.companies is None:
        if subscription is None:
            required(None, "companies", "subscription")
        return
    companies = None if line.companies == "all" else find_companies(account, line.companies)
    wanted = subscribing.scope(companies)
    try:
        _set_scope(member, subscription, wanted, now)
    except subscribing.NotAllowed as error:
        field = "user" if error.denial is Denial.REPORTING_RECIPIENT else "companies"
        raise LineError(field, str(error)) from None


def _set_scope(
    member: Member, subscription: Subscription | None, wanted: Scope, now: datetime
) -> None:
    if subscription is None:
        try:
            subscribing.create(member, wanted, now)
        except subscribing.AlreadySubscribed:  # by activating an integration, at this moment (R17)
            subscription = Subscription.objects.get(member=member)
        else:
            return
    subscribing.change_scope(subscription, wanted)


def _find_member(account: Account, external_id: str) -> Member:
    member = Member.objects.filter(account=account, external_id=external_id).first()
    if member is None:
        raise LineError(
            "user",
            f"no user {external_id!r} in account {account.external_id!r}; its line must come first",
        )
    return member
