"""What an SMTP session waits for, and how long at most. Waits for nothing itself."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from msgspec import Struct


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long to wait, in seconds, for a whole step.

    RFC 5321 section 4.5.3.2 asks for at least 5 minutes for the greeting, MAIL and RCPT, 2 for
    DATA, 3 for each block of the body and 10 for the answer to the final dot. Ours are shorter:
    a stuck server holds up a worker, while a failed attempt costs little, for it is repeated for
    days. Only `acceptance` is kept long, because giving up there can make a duplicate (R24).
    """

    connect: float = 10
    """For each of the host's addresses."""
    greeting: float = 60
    command: float = 60
    """For every other command, and for the TLS handshake."""
    data: float = 120
    """For the answer to DATA, and then for sending the body."""
    acceptance: float = 300


class Wait(Struct, frozen=True):
    """Wait until the server has said something, or takes more; until `deadline` (`monotonic`)."""

    deadline: float
    to_send: bool = False


Result = TypeVar("Result")
Steps: TypeAlias = Generator[Wait, None, Result]
"""What has to be waited for, and the result. Who waits in vain throws TimeoutError into it."""
