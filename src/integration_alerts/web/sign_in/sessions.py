"""Sessions last for two weeks from the last day on which they were used."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse

from integration_alerts.engine import clock

_USED_ON = "used_on"


class SlidingSessions:
    """Prolongs a session with the first request of a day; one write a day, not one a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        response = self.get_response(request)
        session, today = request.session, _today()
        used = session.accessed and SESSION_KEY in session
        if used and session.get(_USED_ON) != today:
            session[_USED_ON] = today
        return response


@receiver(user_logged_in)
def begin_today(request: HttpRequest, **kwargs: Any) -> None:  # noqa: ARG001
    """A session is as young as can be at first."""
    request.session[_USED_ON] = _today()


def _today() -> str:
    return clock.now().date().isoformat()
