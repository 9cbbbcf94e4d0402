"""What hands emails over: the contract between delivering and a mail server."""

from collections.abc import Callable, Sequence
from typing import Protocol

from django.utils.crypto import salted_hmac
from msgspec import Struct

from integration_alerts.rules.retry import Answer, Phase

_SALT = "integration_alerts.mailer"
_DIGITS = 8
NO_LONGER_WANTED = Answer(Phase.CONNECT, None, "no longer wanted")


def always() -> bool:
    """For messages that are wanted whatever happens."""
    return True


def identity(place: str, *settings: str | None) -> str:
    """A name for a mailer: `place` for people, and a digest that changes with its settings.

    The digest needs our secret key, so that nobody can try passwords against it.
    """
    digest = salted_hmac(_SALT, repr(settings), algorithm="sha256").hexdigest()
    return f"{place} ({digest[:_DIGITS]})"


class Parcel(Struct, frozen=True):
    """A whole message with its envelope.

    `reference` names the email to whoever tells us of it later (`return_path.token`); mailers that
    can pass it on do, beside the message.
    """

    sender: str
    recipient: str
    message: bytes
    reference: str = ""


class Source(Protocol):
    """Where a mailer takes parcels from, and leaves the answers. Used by one thread."""

    def take(self) -> Parcel | None:
        """The next one, which may begin now; None: there is none."""

    def at_hand(self) -> Parcel | None:
        """The next one, if nobody has to be waited for to know it."""

    def still_wanted(self, parcel: Parcel) -> bool:
        """Whether a parcel may still begin, when time has passed since it was taken (R10).

        If not, it is as if it had not been taken; no answer is expected.
        """

    def answered(self, answers: Sequence[tuple[Parcel, Answer]]) -> None:
        """Note what became of parcels; durable when it returns (R24)."""

    def call_when_more(self, call: Callable[[], None]) -> None:
        """From here on, any thread may call this when there may be more at hand."""


class Mailer(Protocol):
    """Takes whole messages; never raises for a fault of the server or the network."""

    @property
    def name(self) -> str:
        """Which mailer this is, with which settings, but no secret; see `identity`."""

    @property
    def many_at_once(self) -> bool:
        """Whether one call of `send_all` hands over many messages at the same time."""

    @property
    def probes_by_sending(self) -> bool:
        """Whether only a real email can show that the mailer would take one."""

    def send(self, parcel: Parcel, still_wanted: Callable[[], bool] = always) -> Answer:
        """Hand one message over and say what the server answered. Called from many threads.

        `still_wanted` is asked when time has passed before the message could begin, as a new
        connection takes; if it says no, nothing is sent: NO_LONGER_WANTED.
        """

    def send_all(self, source: Source, at_once: int = 1) -> None:
        """Hand over all that a source has. Called from many threads, each with its own source.

        At most `at_once` at the same time, if it can do `many_at_once`.
        """

    def check(self) -> Answer:
        """Say whether the server would take mail now, without sending any.

        With `probes_by_sending` the answer means nothing.
        """

    def close(self) -> None:
        """Let go of connections that are kept open."""


class OneByOne:
    """A mailer that gains nothing from knowing more than one message."""

    many_at_once = False

    def send(self, parcel: Parcel, still_wanted: Callable[[], bool] = always) -> Answer:
        """As in Mailer."""
        raise NotImplementedError

    def send_all(self, source: Source, at_once: int = 1) -> None:  # noqa: ARG002
        """Send each, and wait for its answer before the next one is taken."""
        while (parcel := source.take()) is not None:
            answer = self.send(parcel, lambda parcel=parcel: source.still_wanted(parcel))  # type: ignore[misc]
            if answer is not NO_LONGER_WANTED:
                source.answered([(parcel, answer)])
