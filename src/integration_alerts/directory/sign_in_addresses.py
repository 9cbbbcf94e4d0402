"""The addresses that a sign-in user has proven to be theirs, as django-allauth keeps them."""

from allauth.account.models import EmailAddress
from django.db.models import Q

from integration_alerts.directory.models import User


def prove(user: User, address: str) -> bool:
    """Keep an address as proven; False: it is proven as another user's."""
    address = address.lower()
    if EmailAddress.objects.filter(email=address, verified=True).exclude(user=user).exists():
        return False
    first = not EmailAddress.objects.filter(user=user, primary=True).exists()
    kept, _ = EmailAddress.objects.get_or_create(user=user, email=address)
    kept.verified, kept.primary = True, kept.primary or first
    kept.save()
    return True


def find_user(address: str) -> User | None:
    """The user whose sign-in address this is."""
    address = address.lower()
    proven = EmailAddress.objects.filter(email=address, verified=True)
    found: User | None = User.objects.filter(
        Q(pk__in=proven.values("user")) | Q(email=address)
    ).first()
    return found


def has_proven(user: User, address: str) -> bool:
    """Whether the user has proven this address."""
    proven = EmailAddress.objects.filter(user=user, email=address.lower(), verified=True)
    return bool(proven.exists())
