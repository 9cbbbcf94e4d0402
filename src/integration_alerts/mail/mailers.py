"""What hands an email over: the contract between delivering and a mail server."""

from collections.abc import Callable
from typing import Protocol

from integration_alerts.rules.retry import Answer


def always() -> bool:
    """For messages that are wanted whatever happens."""
    return True


class Mailer(Protocol):
    """Takes whole messages; never raises for a fault of the server or the network."""

    def send(
        self,
        sender: str,
        recipient: str,
        message: bytes,
        still_wanted: Callable[[], bool] = always,
    ) -> Answer:
        """Hand one message over and say what the server answered. Called from many threads.

        `still_wanted` is asked when time has passed before the message could begin, as a new
        connection takes; if it says no, nothing is sent and the answer means nothing (R10).
        """

    def check(self) -> Answer:
        """Say whether the server would take mail now, without sending any."""

    def close(self) -> None:
        """Let go of connections that are kept open."""
