"""The line that says on the next page what was done, with an undo where there is one."""

from django.contrib import messages
from django.http import HttpRequest


def done(request: HttpRequest, text: str, *, undo: str = "") -> None:
    """Say that something was done; `undo` is an address that takes it back by POST."""
    # extra_tags is what a message of Django can carry beside its text; web/flash.html reads it.
    messages.success(request, text, extra_tags=undo)


def refused(request: HttpRequest, text: str) -> None:
    """Say that something was not done, and why."""
    messages.error(request, text)
