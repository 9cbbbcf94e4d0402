"""Members come to their users whenever an address is proven: at sign-in, and when one changes."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.signals import email_confirmed
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from integration_alerts.directory import invitations
from integration_alerts.directory.models import User


@receiver(user_logged_in)
def link_at_sign_in(user: User, **kwargs: Any) -> None:  # noqa: ARG001
    """Link members who came into being since the last sign-in."""
    proven = EmailAddress.objects.filter(user=user, verified=True)
    invitations.link(user, proven.values_list("email", flat=True))


@receiver(email_confirmed)
def link_at_confirmation(email_address: EmailAddress, **kwargs: Any) -> None:  # noqa: ARG001
    """Link members who have the address that was just proven."""
    invitations.link(email_address.user, [email_address.email])
