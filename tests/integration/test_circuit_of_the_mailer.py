"""A mailer that refuses us as a whole: mails wait, one worker probes, corrections go at once."""

import dataclasses
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from django.core.mail import EmailMessage
from pytest_django import Settings
from tests.smtp_server import SmtpServer
from tests.world import RecordingMailer, World

from integration_alerts.engine import posting
from integration_alerts.engine.models import PostedMail
from integration_alerts.mail import circuits
from integration_alerts.mail.email_url import MailServer, parse_email_url
from integration_alerts.mail.lanes import Lanes
from integration_alerts.mail.mailers import Parcel, always
from integration_alerts.mail.models import DeliveryAttempt, Email, MailerCircuit
from integration_alerts.mail.smtp import SmtpMailer
from integration_alerts.rules.retry import Answer, Phase

pytestmark = pytest.mark.django_db
WRONG_PASSWORD = Answer(Phase.AUTH, 535, "authentication failed")
UNTRUSTED = Answer(Phase.TLS, None, "the server's certificate is not trusted")
WELL = Answer(Phase.GREETING, 250, "ok")
TAKEN = Answer(Phase.ACCEPTANCE, 250, "ok")


def deliver(world: World) -> int:
    return Lanes(dataclasses.replace(world.courier(), slots=5)).run()


@pytest.fixture
def refused(world: World) -> World:
    """Five mails, and a mailer that does not take the password; one was tried."""
    world.queue(5)
    world.mailer.answer = WRONG_PASSWORD
    deliver(world)
    return world


@pytest.mark.parametrize("answer", [WRONG_PASSWORD, UNTRUSTED, Answer(Phase.SENDER, 530, "auth")])
def test_one_refusal_stops_all_and_counts_for_none(world: World, answer: Answer) -> None:
    world.queue(5)
    world.mailer.answer = answer
    assert deliver(world) == 5
    assert deliver(world) == 0
    assert len(world.mailer.sent) == 1
    assert not DeliveryAttempt.objects.exists()
    rows = Email.objects.values_list("status", "attempts", "first_attempt_at", "claimed_by")
    assert set(rows) == {("queued", 0, None, None)}
    assert world.in_hand._emails == set()


def test_an_email_that_is_refused_itself_stops_nothing(world: World) -> None:
    world.queue(3)
    world.mailer.answer = Answer(Phase.RECIPIENT, 550, "no such user")
    deliver(world)
    assert len(world.mailer.sent) == 3
    assert not MailerCircuit.objects.exists()


def test_a_refusal_that_only_one_email_meets_does_not_hold_the_others_up_for_ever(
    world: World,
) -> None:
    world.report("failed")
    world.plan()
    Email.objects.update(open=False, next_attempt_at=world.now)
    first, second = Email.objects.order_by("id").values_list("member__email", flat=True)
    mailer = _Choosy(first)
    courier = dataclasses.replace(world.courier(), mailer=mailer, slots=2)
    for _ in range(2):
        Lanes(courier).run()
        world.pass_time(seconds=10)
    assert mailer.asked_for == [first, second, first]
    assert Email.objects.get(member__email=second).status == "sent"
    assert Email.objects.get(member__email=first).status == "queued"


class _Choosy(RecordingMailer):
    """Asks to sign in for one recipient alone."""

    def __init__(self, recipient: str) -> None:
        super().__init__()
        self._recipient = recipient
        self.asked_for: list[str] = []

    def send(self, parcel: Parcel, still_wanted: Callable[[], bool] = always) -> Answer:
        """Refuse the session, or take the mail."""
        self.asked_for.append(parcel.recipient)
        return (
            Answer(Phase.RECIPIENT, 530, "sign in")
            if parcel.recipient == self._recipient
            else TAKEN
        )


def test_it_is_kept_since_when_and_in_whose_words(refused: World) -> None:
    (circuit,) = circuits.open_circuits()
    assert circuit.mailer == "recording"
    assert circuit.opened_at == refused.now
    assert circuit.words == "auth: 535 authentication failed"


def test_it_is_logged_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.queue(5)
    world.mailer.answer = WRONG_PASSWORD
    for _ in range(3):
        deliver(world)
    errors = [record for record in caplog.records if record.levelname == "ERROR"]
    assert [record.getMessage() for record in errors] == [
        "the mailer recording takes no mail, which waits until that is corrected: "
        "auth: 535 authentication failed"
    ]


def test_nobody_looks_before_it_is_time(refused: World) -> None:
    refused.mailer.answer = WELL
    refused.pass_time(seconds=9)
    assert deliver(refused) == 0
    assert not circuits.probe_due(refused.now)


def test_a_look_in_vain_is_followed_by_longer_pauses(refused: World) -> None:
    pauses = []
    for _ in range(7):
        circuit = MailerCircuit.objects.get()
        pauses.append((circuit.probe_at - refused.now).total_seconds())
        refused.now = circuit.probe_at
        assert circuits.probe_due(refused.now)
        assert deliver(refused) == 0
    assert pauses == [10, 20, 40, 80, 160, 300, 300]
    assert len(refused.mailer.sent) == 1


def test_what_the_server_says_last_is_kept(refused: World) -> None:
    refused.mailer.answer = UNTRUSTED
    refused.pass_time(seconds=10)
    deliver(refused)
    (circuit,) = circuits.open_circuits()
    assert circuit.words == "tls: no answer the server's certificate is not trusted"
    assert circuit.opened_at < refused.now


def test_all_goes_on_once_the_server_takes_us_in(refused: World) -> None:
    refused.pass_time(seconds=10)
    refused.mailer.answer = TAKEN
    woken: list[bool] = []
    courier = dataclasses.replace(refused.courier(), slots=5)
    Lanes(courier, lambda: woken.append(True)).run()
    assert woken == [True]
    refused.deliver()
    assert not MailerCircuit.objects.exists()
    assert {email.split()[1] for email in refused.emails()} == {"sent"}


@dataclass
class SlowToCheck(RecordingMailer):
    """While it is being looked at, something happens."""

    meanwhile: Callable[[], None] = lambda: None
    checks: int = 0

    def check(self) -> Answer:
        self.checks += 1
        self.meanwhile()
        return self.answer


def test_one_worker_looks_while_the_others_wait(refused: World) -> None:
    mailer = SlowToCheck(answer=WELL)
    another = dataclasses.replace(refused.courier(), worker=uuid.UUID(int=2), mailer=mailer)
    claimed: list[int] = []
    mailer.meanwhile = lambda: claimed.append(Lanes(another).run())
    refused.pass_time(seconds=10)
    Lanes(dataclasses.replace(refused.courier(), mailer=mailer)).run()
    assert mailer.checks == 1
    assert claimed == [0]


@dataclass
class Service(RecordingMailer):
    """A mailer that only a real mail can be tried with."""

    probes_by_sending = True
    answers: list[Answer] = field(default_factory=list)

    def send(self, parcel: Parcel, still_wanted: Callable[[], bool] = always) -> Answer:
        self.sent.append((parcel.recipient, parcel.message))
        return self.answers.pop(0) if self.answers else self.answer


@pytest.fixture
def service(world: World) -> Service:
    service = Service(answers=[WRONG_PASSWORD])
    world.mailer = service
    world.queue(5)
    deliver(world)
    world.pass_time(seconds=10)
    return service


def test_a_service_is_probed_with_one_mail(world: World, service: Service) -> None:
    service.answers = [WRONG_PASSWORD]
    assert deliver(world) == 1
    assert deliver(world) == 0
    assert len(service.sent) == 2
    assert not DeliveryAttempt.objects.exists()
    assert MailerCircuit.objects.get().probes == 1


@pytest.mark.parametrize("answer", [TAKEN, Answer(Phase.RECIPIENT, 550, "unknown")])
def test_a_service_that_speaks_about_the_mail_takes_the_others_too(
    world: World, service: Service, answer: Answer
) -> None:
    service.answers = [answer]
    world.deliver()
    assert len(service.sent) == 1 + 5
    assert not MailerCircuit.objects.exists()


def test_a_service_that_does_not_answer_is_probed_again(world: World, service: Service) -> None:
    service.answers = [Answer(Phase.CONNECT, None, "no answer")]
    world.deliver()
    assert len(service.sent) == 2
    assert MailerCircuit.objects.get().probes == 1


def test_a_service_is_not_probed_with_nothing_and_takes_the_next_mail_at_once(
    world: World, service: Service
) -> None:
    Email.objects.update(next_attempt_at=world.now + timedelta(hours=1))
    assert deliver(world) == 0
    assert MailerCircuit.objects.get().probes == 0
    world.report("failed", "new", company="south")
    world.plan()
    assert deliver(world) == 1
    assert not MailerCircuit.objects.exists()


def test_another_mailer_is_not_concerned(refused: World) -> None:
    class Corrected(RecordingMailer):
        name = "recording, corrected"

    refused.mailer = Corrected()
    refused.deliver()
    assert len(refused.mailer.sent) == 5
    circuits.forget_others(refused.mailer)
    assert not MailerCircuit.objects.exists()


def smtp(server: SmtpServer, password: str) -> SmtpMailer:
    read = parse_email_url(f"smtp://ada:{password}@127.0.0.1:{server.port}")
    assert isinstance(read, MailServer)
    return SmtpMailer(read)


def test_a_password_that_is_corrected_goes_at_once(world: World) -> None:
    world.queue(3)
    with SmtpServer(auth=("ada", "right")) as server:
        for password in ("wrong", "right"):
            mailer = smtp(server, password)
            Lanes(dataclasses.replace(world.courier(), mailer=mailer)).run()
            mailer.close()
        assert len(server.messages) == 3
    assert [circuit.words.split()[:2] for circuit in circuits.open_circuits()] == [["auth:", "535"]]


def test_a_password_that_becomes_right_is_found_out_by_a_look(world: World) -> None:
    world.queue(3)
    with SmtpServer(auth=("ada", "right")) as server:
        mailer = smtp(server, "right")
        courier = dataclasses.replace(world.courier(), mailer=mailer, slots=3)
        server.respond(auth=["535 5.7.8 not yet"])
        assert Lanes(courier).run() == 3
        assert Lanes(courier).run() == 0
        world.pass_time(seconds=10)
        assert Lanes(courier).run() == 3
        mailer.close()
        assert len(server.messages) == 3
    assert DeliveryAttempt.objects.count() == 3


class TestMailsOfThePages:
    """They obey the circuit as the others do."""

    @pytest.fixture(autouse=True)
    def posted(self, world: World, settings: Settings) -> None:
        settings.EMAIL_BACKEND = "integration_alerts.engine.posting.EmailBackend"
        EmailMessage("Invitation", "Words\n", to=["ada@acme.example"]).send()
        PostedMail.objects.update(next_attempt_at=world.now, posted_at=world.now)

    def test_they_open_it_and_count_no_attempt(self, world: World) -> None:
        world.mailer.answer = WRONG_PASSWORD
        posting.post_due(world.courier())
        assert PostedMail.objects.get().attempts == 0
        assert MailerCircuit.objects.exists()
        posting.post_due(world.courier())
        assert len(world.mailer.sent) == 1

    def test_they_wait_while_it_is_open(self, refused: World) -> None:
        refused.mailer.answer = TAKEN
        posting.post_due(refused.courier())
        assert len(refused.mailer.sent) == 1
        refused.pass_time(seconds=10)
        posting.post_due(refused.courier())
        assert not PostedMail.objects.exists()
        assert not MailerCircuit.objects.exists()

    def test_they_probe_a_service(self, world: World, service: Service) -> None:
        posting.post_due(world.courier())
        assert not PostedMail.objects.exists()
        assert not MailerCircuit.objects.exists()

    def test_they_keep_the_pace(self, world: World) -> None:
        from integration_alerts.mail.pacing import Pace

        EmailMessage("Another", "Words\n", to=["ada@acme.example"]).send()
        PostedMail.objects.update(next_attempt_at=world.now, posted_at=world.now)
        world.pace = Pace(mailer=0.5)
        posting.post_due(world.courier())
        assert len(world.mailer.sent) == 1
        (waiting,) = PostedMail.objects.all()
        assert waiting.attempts == 0
        assert waiting.next_attempt_at == world.now + timedelta(seconds=2)
        world.pass_time(seconds=2)
        posting.post_due(world.courier())
        assert len(world.mailer.sent) == 2
