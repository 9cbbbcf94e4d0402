"""The mails of the pages, such as invitations: kept in rows, sent by a worker.

No request waits for a mail server, and none is lost while that is down. Notices go another way
(`mail.outbox`): they have a fate that people look up, and are checked again before they are sent.
"""

import logging
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from email.utils import make_msgid, parseaddr
from functools import partial
from typing import Any, cast

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.db import connection, transaction

from integration_alerts.engine import clock, wakeups
from integration_alerts.engine.equipment import stationery_for
from integration_alerts.engine.models import PostedMail
from integration_alerts.mail import circuits, pacing
from integration_alerts.mail.circuits import Permission
from integration_alerts.mail.courier import Courier
from integration_alerts.mail.mailers import Parcel
from integration_alerts.mail.writing import Stationery
from integration_alerts.rules import circuit
from integration_alerts.rules.retry import Answer, Phase, Verdict, next_attempt_at, verdict

# Longer than any attempt takes: nobody else tries meanwhile, and a worker that dies loses nothing.
LEASE = timedelta(minutes=20)
PATIENCE = timedelta(hours=24)  # what such a mail says is stale by then

logger = logging.getLogger(__name__)


class EmailBackend(BaseEmailBackend):
    """Django's way to send mail: keeps the messages, and wakes a worker."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Keep the messages; they are sent once the current transaction is committed."""
        now = clock.now()
        stationery = stationery_for(settings.CONFIGURATION)
        rows = [row for message in email_messages for row in _rows(message, stationery, now)]
        with transaction.atomic():
            PostedMail.objects.bulk_create(rows)
            wakeups.wake(wakeups.POST)
        return len(email_messages)


def post(sender: str, recipient: str, message: bytes, now: datetime) -> None:
    """Keep a message that is written already; it is sent once the transaction is committed."""
    with transaction.atomic():
        PostedMail.objects.create(
            sender=sender, recipient=recipient, message=message, posted_at=now, next_attempt_at=now
        )
        wakeups.wake(wakeups.POST)


def anything_due(now: datetime) -> bool:
    """Whether a posted mail waits for an attempt."""
    return PostedMail.objects.filter(next_attempt_at__lte=now).exists()


def post_due(courier: Courier) -> None:
    """Send what is due, one after the other, as far as the mailer and the pace allow."""
    while not courier.stopping():
        now = courier.clock()
        permission = circuits.may_send(courier.mailer, now, partial(anything_due, now))
        if permission is Permission.WAIT or (mail := _claim(now)) is None:
            return
        if not _may_go(courier, mail):
            continue
        answer = _send(courier, mail)
        if circuit.opens(answer):
            _put_back(mail, courier.clock())
            circuits.open_circuit(courier.mailer, answer, courier.clock())
            return
        _record(mail, answer, courier.clock())
        if permission is Permission.PROBE and circuit.closes_after_attempt(answer):
            circuits.close_circuit(courier.mailer)


def _may_go(courier: Courier, mail: PostedMail) -> bool:
    """Whether the pace lets it go now; else it is put at its turn."""
    key = f"posted {mail.pk}"
    with transaction.atomic():
        turns = pacing.take_turns(courier.pace, {key: mail.recipient}, courier.clock())
        if key in turns.going:
            return True
        _put_back(mail, turns.places[key])
    return False


def _put_back(mail: PostedMail, when: datetime) -> None:
    """As if this attempt had not been: no mailer took part in it."""
    PostedMail.objects.filter(pk=mail.pk).update(next_attempt_at=when, attempts=mail.attempts - 1)


def _rows(message: EmailMessage, stationery: Stationery, now: datetime) -> list[PostedMail]:
    # Django would write this machine's name into the Message-ID.
    message_id = make_msgid(domain=stationery.message_id_domain)
    message.extra_headers.setdefault("Message-ID", message_id)
    message.extra_headers.setdefault("Auto-Submitted", "auto-generated")  # RFC 3834 section 5
    written = cast("Any", message.message()).as_bytes(linesep="\r\n")
    if stationery.sign is not None:
        written = stationery.sign(written)
    sender = parseaddr(message.from_email)[1]
    return [
        PostedMail(
            sender=sender, recipient=recipient, message=written, posted_at=now, next_attempt_at=now
        )
        for recipient in message.recipients()
    ]


def _claim(now: datetime) -> PostedMail | None:
    with transaction.atomic():
        due = PostedMail.objects.filter(next_attempt_at__lte=now).order_by("next_attempt_at", "id")
        mail = due.select_for_update(skip_locked=True).first()
        if mail is not None:
            mail.attempts += 1
            mail.next_attempt_at = now + LEASE
            mail.save(update_fields=["attempts", "next_attempt_at"])
    return mail


def _send(courier: Courier, mail: PostedMail) -> Answer:
    if not connection.in_atomic_block:
        connection.close()  # back to the pool: a slow mail server must not hold a connection
    try:
        return courier.mailer.send(Parcel(mail.sender, mail.recipient, bytes(mail.message)))
    except Exception as error:  # a mailer's own fault must not stop the mails behind this one
        logger.exception("the mailer failed on posted mail %s", mail.pk)
        return Answer(Phase.CONNECT, None, f"the mailer failed: {type(error).__name__}")


def _record(mail: PostedMail, answer: Answer, now: datetime) -> None:
    number, again = mail.pk, None
    if (outcome := verdict(answer)) is Verdict.TRANSIENT:
        again = next_attempt_at(mail.attempts, mail.posted_at, now, random.random())  # noqa: S311
    if again is None or again > mail.posted_at + PATIENCE:
        mail.delete()
    else:
        # Not `save`: after a pause longer than the lease, another worker may have finished it.
        PostedMail.objects.filter(pk=number).update(next_attempt_at=again)
    if outcome is not Verdict.ACCEPTED:
        # Without its words and its recipient: who asked for a new password is nobody's business.
        logger.warning(
            "posted mail %s, attempt %s, %s: %s: %s %s",
            number, mail.attempts, "given up" if mail.pk is None else "to be tried again",
            answer.phase.value, answer.code or "no answer", answer.text,
        )  # fmt: skip
