"""How a member comes to have a sign-in: invitations, and the linking of members to users.

Whoever opens an invitation has the mailbox of the member's address. Sends no mail
(`engine.inviting` does) and signs nobody in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import QuerySet, Value
from django.db.models.functions import Lower
from django.utils.crypto import constant_time_compare, salted_hmac

from integration_alerts.directory.finding import folded
from integration_alerts.directory.models import Member, User

VALID = timedelta(days=7)
_SALT = "integration_alerts.invitation"


@dataclass(frozen=True, slots=True)
class Opened:
    """An invitation that somebody opened. `member` is None when it is not one of ours."""

    member: Member | None
    valid: bool


def token(member: Member, now: datetime) -> str:
    """The token of an invitation: void after 7 days, or when address or user have changed."""
    return sealed(_SALT, member, member.email, now + VALID)


def open_token(text: str, now: datetime) -> Opened:
    """Read a token; only a valid one gives anybody anything."""
    member, address, in_time = unsealed(_SALT, text, now)
    if member is None:
        return Opened(None, valid=False)
    unchanged = constant_time_compare(_digest(member.email), address)
    free = member.user_id is None and can_be_linked().filter(pk=member.pk).exists()
    return Opened(member, valid=in_time and unchanged and free)


def sealed(salt: str, member: Member, text: str, until: datetime) -> str:
    """A signed token about a member and a text, which is in it as a digest only."""
    return signing.dumps([member.pk, int(until.timestamp()), _digest(text)], salt=salt)


def unsealed(salt: str, token: str, now: datetime) -> tuple[Member | None, str, bool]:
    """The member of a token, the digest in it, and whether it is still in time."""
    try:
        member_id, until, digest = signing.loads(token, salt=salt)
    except signing.BadSignature:
        return None, "", False
    member = Member.objects.select_related("account").filter(pk=member_id).first()
    return member, digest, now.timestamp() < until


def can_be_linked() -> QuerySet[Member]:
    """The members who may sign in and have no user yet: active, with an address that is theirs."""
    return Member.objects.filter(
        user=None, active=True, email_verified=True, account__active=True
    ).select_related("account")


def waiting_for(address: str) -> QuerySet[Member]:
    """The members of all accounts who have this address, in any case, and no user yet."""
    rows = can_be_linked().annotate(folded=folded("email"))
    rows = rows.filter(folded=Lower(Value(address)))
    return rows.order_by("account_id", "id")


def link(user: User, addresses: Iterable[str]) -> list[Member]:
    """Let a user act as every member who has one of these addresses, which must be proven theirs.

    At most one in each account; members who have a user keep it.
    """
    return [
        member for address in addresses for member in waiting_for(address) if _linked(user, member)
    ]


def link_only(user: User, member: Member) -> list[Member]:
    """Let a user act as this member alone: for an address that is not proven to be theirs."""
    return [member] if _linked(user, member) else []


def mark_invited(members: Sequence[Member], now: datetime) -> None:
    """Remember when these members were invited."""
    Member.objects.filter(pk__in=[member.pk for member in members]).update(invited_at=now)


def _linked(user: User, member: Member) -> bool:
    if Member.objects.filter(account=member.account_id, user=user).exists():
        return False
    try:
        with transaction.atomic():
            free = Member.objects.filter(pk=member.pk, user=None)
            return free.update(user=user) == 1
    except IntegrityError:  # at the same moment, this user became another member of the account
        return False


def _digest(text: str) -> str:
    return salted_hmac(_SALT, text.lower()).hexdigest()[:32]
