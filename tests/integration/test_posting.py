"""The mails of the pages on their way: kept first, sent by a worker, tried again, given up."""

import logging
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives, get_connection
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings
from tests.installation import Installation, wait_for
from tests.smtp_server import SmtpServer
from tests.world import World

from integration_alerts.engine import posting
from integration_alerts.engine.models import PostedMail
from integration_alerts.rules.retry import Answer, Phase

pytestmark = pytest.mark.django_db
BUSY = Answer(Phase.RECIPIENT, 451, "later")
REFUSED = Answer(Phase.RECIPIENT, 550, "no such user")


@pytest.fixture(autouse=True)
def through_our_backend(settings: Settings) -> None:
    """Django's tests otherwise keep mails in memory."""
    settings.EMAIL_BACKEND = "integration_alerts.engine.posting.EmailBackend"


def send(world: World, to: str = "ada@acme.example") -> None:
    message = EmailMultiAlternatives("Secret subject", "secret words\n", to=[to])
    message.attach_alternative("<p>secret words</p>", "text/html")
    with time_machine.travel(world.now, tick=False):
        message.send()


def post(world: World, answer: Answer) -> None:
    world.mailer.answer = answer
    posting.post_due(world.courier())


def test_a_mail_is_kept_and_a_worker_is_woken(world: World) -> None:
    send(world)
    assert PostedMail.objects.get().recipient == "ada@acme.example"
    job = ProcrastinateJob.objects.get(task_name="engine:post")
    assert (job.queue_name, job.args) == ("delivering", {})
    assert not world.mailer.sent


def test_a_mail_of_a_transaction_that_failed_is_not_sent(world: World) -> None:
    with transaction.atomic():
        send(world)
        transaction.set_rollback(True)
    assert not PostedMail.objects.exists()


def test_a_sent_mail_is_gone_and_was_whole(world: World) -> None:
    send(world)
    post(world, Answer(Phase.ACCEPTANCE, 250, "ok"))
    ((recipient, raw),) = world.mailer.sent
    assert recipient == "ada@acme.example"
    message = message_from_bytes(raw, policy=default)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["From"] == "Integration Alerts <alerts@localhost>"
    assert str(message["Message-ID"]).endswith("@localhost>")
    assert b"\r\n" in raw
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert not PostedMail.objects.exists()


def test_a_mail_that_cannot_be_sent_now_is_tried_again(world: World) -> None:
    send(world)
    post(world, BUSY)
    post(world, BUSY)
    assert len(world.mailer.sent) == 1
    assert not posting.anything_due(world.now)
    world.pass_time(seconds=15)
    assert posting.anything_due(world.now)
    post(world, Answer(Phase.ACCEPTANCE, 250, "ok"))
    assert len(world.mailer.sent) == 2
    assert world.mailer.sent[0] == world.mailer.sent[1]


def test_after_a_day_it_is_given_up(world: World) -> None:
    send(world)
    for _ in range(30):
        post(world, BUSY)
        world.pass_time(hours=1)
    assert not PostedMail.objects.exists()
    assert len(world.mailer.sent) < 26


def test_a_refused_mail_is_given_up_at_once(world: World) -> None:
    send(world)
    post(world, REFUSED)
    assert not PostedMail.objects.exists()


def test_one_that_fails_holds_up_nobody(world: World) -> None:
    send(world, "bad@acme.example")
    send(world)
    post(world, BUSY)
    assert [to for to, _ in world.mailer.sent] == ["bad@acme.example", "ada@acme.example"]


def test_a_fault_of_the_mailer_loses_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    send(world)

    def broken(*_: object) -> Answer:
        raise RuntimeError("broken")

    monkeypatch.setattr(world.mailer, "send", broken)
    posting.post_due(world.courier())
    assert PostedMail.objects.get().attempts == 1


def test_what_a_dead_worker_had_taken_is_sent_later(world: World) -> None:
    send(world)
    PostedMail.objects.update(attempts=1, next_attempt_at=world.now + posting.LEASE)
    assert not posting.anything_due(world.now)
    world.pass_time(minutes=20)
    post(world, Answer(Phase.ACCEPTANCE, 250, "ok"))
    assert len(world.mailer.sent) == 1


def test_what_another_worker_finished_meanwhile_harms_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*args: object) -> Answer:
        PostedMail.objects.all().delete()
        return BUSY

    send(world)
    monkeypatch.setattr(world.mailer, "send", slow)
    posting.post_due(world.courier())
    assert not PostedMail.objects.exists()


def test_a_worker_that_stops_begins_nothing(world: World) -> None:
    send(world)
    world.stopping = True
    post(world, BUSY)
    assert not world.mailer.sent


def test_the_log_says_neither_words_nor_recipient(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    send(world)
    with caplog.at_level(logging.DEBUG):
        post(world, BUSY)
        world.pass_time(days=2)
        post(world, BUSY)
    assert "to be tried again" in caplog.text
    assert "given up" in caplog.text
    for secret in ("ada@acme.example", "secret words", "Secret subject"):
        assert secret not in caplog.text


def test_many_mails_are_kept_at_once(world: World) -> None:
    messages = [EmailMultiAlternatives("s", "b", to=[f"a{n}@b.example"]) for n in range(3)]
    assert get_connection().send_messages(messages) == 3
    assert PostedMail.objects.count() == 3
    assert PostedMail.objects.filter(posted_at__gt=world.now - timedelta(days=1)).count() == 3


def test_a_real_worker_sends_them_and_leaves_nothing_behind(
    installation: Installation, smtp: SmtpServer
) -> None:
    assert installation.command("invite", "--account", "acme", "ada").returncode == 0
    installation.worker()
    (message,) = smtp.wait_for_messages(1)
    assert "ada@acme.example" in str(message)
    kept = "SELECT count(*) FROM posted_mail"
    wait_for(lambda: installation.query(kept) == [(0,)], what="the mail to be gone")
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'engine:post'"
    wait_for(lambda: installation.query(jobs) == [(0,)], what="the job to be gone")
    assert "ada@acme.example" not in installation.logs()
