"""Who may sign in at all. Members and what they may do are another matter.

Who is shut out is signed out with the next request, and can sign in no more.
"""

from collections.abc import Iterable

from integration_alerts.directory.models import User


def shut_out(users: Iterable[User]) -> None:
    """Keep these users out until they are let in again."""
    User.objects.filter(pk__in=[user.pk for user in users]).update(is_active=False)


def let_in(users: Iterable[User]) -> None:
    """Let these users sign in again."""
    User.objects.filter(pk__in=[user.pk for user in users]).update(is_active=True)
