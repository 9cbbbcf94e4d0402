"""What hands an email over: the contract between delivering and a mail server."""

from typing import Protocol

from integration_alerts.rules.retry import Answer


class Mailer(Protocol):
    """Takes whole messages; never raises for a fault of the server or the network."""

    def send(self, sender: str, recipient: str, message: bytes) -> Answer:
        """Hand one message over and say what the server answered. Called from many threads."""

    def check(self) -> Answer:
        """Say whether the server would take mail now, without sending any."""

    def close(self) -> None:
        """Let go of connections that are kept open."""
