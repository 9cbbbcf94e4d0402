"""Where a mailer takes a test's emails from, and what it said of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.smtp_client import SENDER

from integration_alerts.mail.mailers import Parcel
from integration_alerts.rules.retry import Answer


@dataclass
class Mails:
    """A source of so many emails, which notes what became of each."""

    count: int
    wanted: Callable[[Parcel], bool] = lambda parcel: True
    on_answer: Callable[[Parcel], None] = lambda parcel: None
    taken: int = 0
    asked: list[str] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)

    def take(self) -> Parcel | None:
        if self.taken == self.count:
            return None
        self.taken += 1
        return Parcel(SENDER, f"to-{self.taken}@example.test", b"It broke.\r\n")

    at_hand = take

    def still_wanted(self, parcel: Parcel) -> bool:
        self.asked.append(parcel.recipient)
        return self.wanted(parcel)

    def answered(self, answers: Sequence[tuple[Parcel, Answer]]) -> None:
        for parcel, answer in answers:
            assert parcel.recipient not in self.answers
            self.on_answer(parcel)
            self.answers[parcel.recipient] = answer

    def call_when_more(self, call: Callable[[], None]) -> None:
        """Nothing comes later."""

    def codes(self) -> list[tuple[str, int | None]]:
        return [(answer.phase.value, answer.code) for answer in self.answers.values()]
