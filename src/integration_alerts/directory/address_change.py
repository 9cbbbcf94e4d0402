"""A member's new mail address: proposed on the page, in force once its mailbox has confirmed (R13).

Sends nothing; the sign-in address is another matter (django-allauth).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing
from django.utils.crypto import constant_time_compare, salted_hmac

from integration_alerts.directory.models import Member

VALID = timedelta(days=3)
_SALT = "integration_alerts.address"


@dataclass(frozen=True, slots=True)
class Change:
    """A change that somebody may confirm now."""

    member: Member
    address: str


def propose(member: Member, address: str, now: datetime) -> str:
    """The token for the link to the new address; void after 3 days or once the address changed."""
    until = int((now + VALID).timestamp())
    return signing.dumps([member.pk, until, _digest(member.email), address], salt=_SALT)


def open_change(token: str, now: datetime) -> Change | None:
    """What a token would change; None: it is none of ours, too old, or void."""
    try:
        member_id, until, digest, address = signing.loads(token, salt=_SALT)
    except signing.BadSignature:
        return None
    members = Member.objects.filter(pk=member_id, active=True, account__active=True)
    member = members.select_related("account").first()
    if member is None or now.timestamp() >= until:
        return None
    if not constant_time_compare(_digest(member.email), digest):
        return None
    return Change(member, address)


def carry_out(change: Change) -> bool:
    """Make the change; False: the address was changed in another way at this moment."""
    unchanged = Member.objects.filter(pk=change.member.pk, email=change.member.email)
    return unchanged.update(email=change.address, email_verified=True) == 1


def _digest(address: str) -> str:
    return salted_hmac(_SALT, address).hexdigest()[:32]
