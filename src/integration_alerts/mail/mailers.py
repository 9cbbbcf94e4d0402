"""What hands an email over: the contract between delivering and a mail server."""

from collections.abc import Callable
from typing import Protocol

from django.utils.crypto import salted_hmac

from integration_alerts.rules.retry import Answer

_SALT = "integration_alerts.mailer"
_DIGITS = 8


def always() -> bool:
    """For messages that are wanted whatever happens."""
    return True


def identity(place: str, *settings: str | None) -> str:
    """A name for a mailer: `place` for people, and a digest that changes with its settings.

    The digest needs our secret key, so that nobody can try passwords against it.
    """
    digest = salted_hmac(_SALT, repr(settings), algorithm="sha256").hexdigest()
    return f"{place} ({digest[:_DIGITS]})"


class Mailer(Protocol):
    """Takes whole messages; never raises for a fault of the server or the network."""

    @property
    def name(self) -> str:
        """Which mailer this is, with which settings, but no secret; see `identity`."""

    @property
    def probes_by_sending(self) -> bool:
        """Whether only a real email can show that the mailer would take one."""

    def send(
        self,
        sender: str,
        recipient: str,
        message: bytes,
        still_wanted: Callable[[], bool] = always,
        reference: str = "",
    ) -> Answer:
        """Hand one message over and say what the server answered. Called from many threads.

        `still_wanted` is asked when time has passed before the message could begin, as a new
        connection takes; if it says no, nothing is sent and the answer means nothing (R10).

        `reference` names the email to whoever tells us of it later (`return_path.token`); mailers
        that can pass it on do, beside the message.
        """

    def check(self) -> Answer:
        """Say whether the server would take mail now, without sending any.

        With `probes_by_sending` the answer means nothing.
        """

    def close(self) -> None:
        """Let go of connections that are kept open."""
