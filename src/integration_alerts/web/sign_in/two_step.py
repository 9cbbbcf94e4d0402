"""How two-step sign-in works here: our words."""

from typing import Any, ClassVar

from allauth.mfa.adapter import DefaultMFAAdapter


class Adapter(DefaultMFAAdapter):  # type: ignore[misc]
    """What django-allauth's two-step sign-in asks its host."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": (
            "This code is not right, or it was used before. Type the one that the app shows now."
        ),
        "unverified_email": (
            "Two-step sign-in cannot be switched on while your new sign-in address is not "
            "confirmed. Confirm it or cancel the change first."
        ),
    }
