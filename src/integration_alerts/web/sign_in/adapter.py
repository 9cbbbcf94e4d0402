"""How django-allauth works here: no sign-up, our words and mails, links from PUBLIC_URL."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.urls import reverse

from integration_alerts.engine.page_mail import page_mail, public_address


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]
    """What django-allauth asks its host."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": "This sign-in is switched off. Ask the operator of this installation.",
        "email_password_mismatch": (
            "This address and this password do not belong together. Check both, "
            "or have a new password sent to you."
        ),
        "too_many_login_attempts": (
            "There were too many tries for this address. Wait five minutes, then try again."
        ),
        "enter_current_password": "This is not your current password.",
        "incorrect_password": "This is not your password.",
        "incorrect_code": "This code is not the current one. Wait for the next one and type that.",
        "duplicate_email": "This is your sign-in address already, or the one you are changing to.",
        "invalid_password_reset": "This link works no more. Have a new one sent to you.",
        "rate_limited": "There were too many tries. Wait a minute, then try again.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Never: people are invited."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send one of django-allauth's mails, in our form."""
        facts = {**context, "email": email, "security_url": public_address(reverse("security"))}
        page_mail(template_prefix, email, facts).send()

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link in the mail to somebody who forgot their password."""
        uid, _, rest = key.partition("-")
        arguments = {"uidb36": uid, "key": rest}
        return public_address(reverse("account_reset_password_from_key", kwargs=arguments))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:  # noqa: ARG002
        """The link in the mail that verifies a new sign-in address."""
        return public_address(reverse("account_confirm_email", args=[emailconfirmation.key]))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:  # noqa: ARG002
        """Where people land once their password is changed."""
        return reverse("security")

    def get_client_ip(self, request: HttpRequest) -> str:
        """The visitor's network address; who came past the proxies counts as the last one."""
        try:
            return str(super().get_client_ip(request))
        except ImproperlyConfigured:
            return str(request.META["REMOTE_ADDR"])

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:  # noqa: ARG002
        # Theirs has the Host header in it: with another one for each try, nothing would be limited.
        return str(credentials.get("email", "")).lower()
