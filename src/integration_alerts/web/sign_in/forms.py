"""What django-allauth's forms do differently here."""

from allauth.account.forms import ResetPasswordForm
from allauth.account.models import EmailAddress
from django.http import HttpRequest

from integration_alerts.directory.models import User
from integration_alerts.engine import clock
from integration_alerts.engine.inviting import invite_address


class ForgottenPasswordForm(ResetPasswordForm):  # type: ignore[misc]
    """A new password for who can sign in, an invitation for members who cannot yet.

    The page says the same whoever is known here.
    """

    users: list[User]

    def clean_email(self) -> str:
        """Find the users whose own address this is; one that somebody merely claims is nobody's."""
        address = str(super().clean_email())
        claimed = EmailAddress.objects.filter(email=address.lower(), verified=False)
        claims = set(claimed.values_list("user_id", flat=True))
        self.users = [
            user
            for user in self.users
            if user.email.lower() == address.lower() or user.pk not in claims
        ]
        return address

    def save(self, request: HttpRequest, **kwargs: object) -> str:
        """Send what there is to send."""
        address = str(self.cleaned_data["email"])
        if self.users:
            super().save(request, **kwargs)
        else:
            invite_address(address, clock.now())
        return address
