"""The sign-in page, and the confirmation of a new sign-in address, as django-allauth has them."""

from typing import Any

from allauth.account.views import ConfirmEmailView, LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from integration_alerts.web import flash
from integration_alerts.web.drafts import ask_to_sign_in
from integration_alerts.web.sign_in.demo import demo_people


class SignIn(LoginView):  # type: ignore[misc]
    """Address and password; in a demo, also the people of the demo."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the page shows."""
        return {**super().get_context_data(**kwargs), "demo_people": demo_people(self.request)}


class ConfirmAddress(ConfirmEmailView):  # type: ignore[misc]
    """Only for who asked for the new address, signed in.

    Otherwise somebody could claim your address and be linked to your members by your click.
    """

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let nobody else confirm."""
        if not request.user.is_authenticated:
            return ask_to_sign_in(request)
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def logout_other_user(self, confirmation: Any) -> None:
        """The page says who has to confirm; nobody is signed out by a link."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What the page shows."""
        context: dict[str, Any] = super().get_context_data(**kwargs)
        found = context.get("confirmation")
        context["theirs"] = found is not None and self._is_theirs(found)
        return context

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Confirm."""
        if not self._is_theirs(self.get_object()):
            flash.refused(
                self.request, "Somebody else has asked for this address. Nothing was changed."
            )
            return redirect("security")
        response: HttpResponse = super().post(*args, **kwargs)
        return response

    def get_redirect_url(self) -> str:
        """Where people land afterwards."""
        return reverse("security")

    def _is_theirs(self, confirmation: Any) -> bool:
        return bool(confirmation.email_address.user_id == self.request.user.pk)
