"""A small account with a clock that the test moves, driving the real code step by step."""

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import Any, ClassVar

from tests.installation import DIRECTORY

from integration_alerts.alerts.models import Notice, Subscription
from integration_alerts.directory.models import Account, Company, Member
from integration_alerts.engine import advancing, importing, intake
from integration_alerts.engine.intake import Taken
from integration_alerts.integrations.models import Incident, Integration
from integration_alerts.mail.courier import Courier
from integration_alerts.mail.in_hand import InHand
from integration_alerts.mail.lanes import Lanes
from integration_alerts.mail.mailers import OneByOne, Parcel, always
from integration_alerts.mail.models import Email
from integration_alerts.mail.pacing import Pace
from integration_alerts.mail.writing import Stationery
from integration_alerts.rules.retry import Answer, Phase

ACCEPTED = Answer(Phase.ACCEPTANCE, 250, "ok")
STATIONERY = Stationery("Alerts <alerts@platform.example>", "https://alerts.example")


@dataclass
class RecordingMailer(OneByOne):
    """Keeps what it is given; answers as the test says. Real servers: tests/acceptance."""

    name: ClassVar = "recording"
    probes_by_sending: ClassVar = False

    answer: Answer = ACCEPTED
    sent: list[tuple[str, bytes]] = field(default_factory=list)

    def send(self, parcel: Parcel, still_wanted: Callable[[], bool] = always) -> Answer:
        """Take a message."""
        self.sent.append((parcel.recipient, parcel.message))
        return self.answer

    def check(self) -> Answer:
        """Say what it would answer."""
        return self.answer

    def close(self) -> None:
        """Nothing is open."""


class World:
    """Acme of `tests.installation.DIRECTORY`, at a time of its own."""

    def __init__(self, directory: list[dict[str, Any]] | None = None) -> None:
        self.now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
        self.mailer = RecordingMailer()
        self.stopping = False
        self.in_hand = InHand()
        self.stationery = STATIONERY
        self.pace = Pace()
        self.worker = uuid.UUID(int=1)
        self.directory(*(DIRECTORY if directory is None else directory))
        self.group(wait=0, interval=0)

    def directory(self, *lines: dict[str, Any]) -> None:
        """Import lines; all must be right."""
        answers = importing.take_directory(lines, self.now)
        assert [answer.error for answer in answers] == [None] * len(lines)

    def group(self, *, wait: int, interval: int) -> None:
        """Let mails wait for so many seconds (R22), in every account."""
        Account.objects.update(group_wait=wait, group_interval=interval)

    def report(self, state: str, integration: str = "ads", **more: Any) -> str:
        """Report a state as of now; returns the result."""
        (taken,) = self.take(self.a_report(state, integration, **more))
        return taken.outcome.result.value

    def take(self, *reports: Any) -> list[Taken]:
        """Take reports as they are."""
        return intake.take_reports(reports, self.now)

    def a_report(self, state: str, integration: str = "ads", **more: Any) -> dict[str, Any]:
        """A report of North as of now, with a new event id."""
        return {
            "id": f"event-{random.randrange(10**12)}",
            "account": "acme",
            "company": "north",
            "integration": integration,
            "state": state,
            "occurred_at": self.now.isoformat(),
            **more,
        }

    def pass_time(self, **duration: float) -> None:
        """Move the clock; nothing else happens."""
        self.now += timedelta(**duration)

    def plan(self) -> None:
        """Let the worker plan and compose what is due."""
        advancing.plan(self.now, "platform.example")
        advancing.compose(self.now, "platform.example")

    def queue(self, count: int = 1) -> None:
        """Queue mails to Ada about failures of South, which is hers alone."""
        for number in range(count):
            self.report("failed", f"ads-{number}", company="south")
            self.plan()
            Email.objects.filter(open=True).update(open=False)  # the next one gets its own

    def deliver(self) -> None:
        """Let the worker deliver what is due."""
        Lanes(self.courier()).run()

    def work(self) -> list[str]:
        """Let the worker do everything that is due; returns `address: subject` of new mails."""
        before = len(self.mailer.sent)
        self.plan()
        self.deliver()
        return sorted(f"{to}: {_subject(raw)}" for to, raw in self.mailer.sent[before:])

    def live(self, **duration: float) -> list[str]:
        """Live through a time hour by hour, working each hour; returns the new mails."""
        mails: list[str] = []
        end = self.now + timedelta(**duration)
        while self.now < end:
            self.pass_time(hours=1)
            mails += self.work()
        return mails

    def courier(self) -> Courier:
        """This world's worker."""
        return Courier(
            self.worker,
            self.mailer,
            self.stationery,
            lambda: self.now,
            lambda: self.stopping,
            slots=1,
            in_hand=self.in_hand,
            pace=self.pace,
        )

    def member(self, external_id: str) -> Member:
        """A member of Acme."""
        return Member.objects.get(account__external_id="acme", external_id=external_id)

    def company(self, external_id: str) -> Company:
        """A company of Acme."""
        return Company.objects.get(account__external_id="acme", external_id=external_id)

    def subscription(self, external_id: str) -> Subscription:
        """A member's subscription."""
        return Subscription.objects.get(member=self.member(external_id))

    def integration(self, external_id: str = "ads") -> Integration:
        """An integration of Acme."""
        return Integration.objects.get(external_id=external_id, account__external_id="acme")

    def open_incidents(self) -> int:
        """How many incidents are open."""
        return Incident.objects.filter(closed_at=None).count()

    def notices(self) -> list[str]:
        """Every notice as `state step status`."""
        return [f"{n.state} {n.step} {n.status}" for n in Notice.objects.order_by("due_at", "id")]

    def emails(self) -> list[str]:
        """Every email as `member status reason`."""
        rows = Email.objects.select_related("member").order_by("id")
        return [f"{e.member.external_id} {e.status} {e.outcome_reason}".strip() for e in rows]

    def account(self) -> Account:
        """Acme."""
        return Account.objects.get(external_id="acme")


def _subject(raw: bytes) -> str:
    return str(message_from_bytes(raw, policy=default)["Subject"])
