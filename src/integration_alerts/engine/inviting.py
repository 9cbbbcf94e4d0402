"""Inviting members to sign in: who is sent a link, and the mail that has it."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.core.mail import get_connection
from django.db import transaction
from django.db.models import Q, QuerySet

from integration_alerts.directory import invitations
from integration_alerts.directory.models import Account, Member
from integration_alerts.engine.page_mail import page_mail, public_address
from integration_alerts.mail.text import one_line, shorten

BATCH = 100
_PAUSE = timedelta(minutes=5)  # nobody's mailbox is filled by somebody who keeps asking
_NAME_LIMIT = 40


def invite(members: Iterable[Member], now: datetime) -> int:
    """Send an invitation to each of these who may have one; returns how many were sent.

    Left out: who can sign in already, is inactive, or has an address that nobody verified.
    """
    asked = [member.pk for member in members]
    invited = list(invitations.can_be_linked().filter(pk__in=asked).order_by("id"))
    mails = [
        page_mail(
            "engine/invitation",
            member.email,
            {
                "name": one_line(member.name),
                "account": shorten(one_line(member.account.name), _NAME_LIMIT),
                "address": member.email,
                "url": public_address(f"/invitation/{invitations.token(member, now)}"),
            },
        )
        for member in invited
    ]
    with transaction.atomic():
        invitations.mark_invited(invited, now)
        get_connection().send_messages(mails)
    return len(mails)


def invite_address(address: str, now: datetime) -> None:
    """Invite whoever has this address and cannot sign in yet; one mail, however many accounts."""
    members = invitations.waiting_for(address)
    if members.filter(invited_at__gt=now - _PAUSE).exists():
        return
    invite(members[:1], now)


def to_invite(account: Account, now: datetime) -> QuerySet[Member]:
    """The members of an account without a sign-in whose latest invitation works no more."""
    lapsed = Q(invited_at=None) | Q(invited_at__lte=now - invitations.VALID)
    return invitations.can_be_linked().filter(lapsed, account=account).order_by("id")
