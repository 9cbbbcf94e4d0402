"""Delivering what is due: claim, check again, send, record; the order that R10, R12 and R24 need.

Any number of threads and workers may do this at once. Speaks to no server itself: a mailer does.
"""

import logging
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from integration_alerts.mail import outbox
from integration_alerts.mail.in_hand import InHand
from integration_alerts.mail.mailers import Mailer
from integration_alerts.mail.models import EmailStatus
from integration_alerts.mail.outbox import Claimed
from integration_alerts.mail.writing import Stationery
from integration_alerts.rules.retry import Answer, Phase

Result = TypeVar("Result")
logger = logging.getLogger(__name__)

# At most, so that a stopping worker gives little back. With less to do than that for every slot,
# each takes its share: a slow server must not hold up mails that others could send.
BATCH = 20
_STOPPING_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Courier:
    """Who delivers: a worker, with what it needs. `stopping` says that no new mail may begin."""

    worker: UUID
    mailer: Mailer
    stationery: Stationery
    clock: Callable[[], datetime]
    stopping: Callable[[], bool]
    slots: int  # how many emails this worker sends at the same time
    in_hand: InHand


def deliver_batch(courier: Courier, on_more: Callable[[], None]) -> int:
    """Deliver one batch; returns how many emails were claimed, 0: nothing is due.

    `on_more` is called before sending when there may be more, so that others can begin meanwhile.
    """
    due = outbox.count_due(courier.clock(), limit=BATCH * courier.slots)
    share = min(BATCH, max(1, due // courier.slots))
    emails = deque(outbox.claim(courier.worker, courier.clock(), share, courier.stationery))
    courier.in_hand.take(email.id for email in emails)
    claimed = len(emails)
    try:
        if due > claimed:
            on_more()
        while emails and not courier.stopping():
            wanted = outbox.check_again(
                emails[0], courier.worker, courier.clock(), courier.stationery
            )
            done = emails.popleft()
            if wanted is not None:
                _deliver(courier, wanted)
            courier.in_hand.drop([done.id])
    finally:
        if emails:
            ids = [email.id for email in emails]
            _persist(courier, lambda: outbox.give_back(ids, courier.worker, courier.clock()))
            courier.in_hand.drop(ids)
    return claimed


def _deliver(courier: Courier, email: Claimed) -> None:
    current: Claimed | None = email

    def still_wanted() -> bool:
        nonlocal current
        current = outbox.check_again(email, courier.worker, courier.clock(), courier.stationery)
        return current == email

    while current is not None:
        email = current
        started = courier.clock()
        answer = _send(courier, email, still_wanted)
        if current == email:
            _record(courier, email, answer, started)
            return


def _record(courier: Courier, email: Claimed, answer: Answer, started: datetime) -> None:
    finished, jitter = courier.clock(), random.random()  # noqa: S311
    status = _persist(
        courier,
        lambda: outbox.record(email, courier.worker, answer, started, finished, jitter),
    )
    if status is not EmailStatus.SENT:
        logger.warning(
            "email %s to %s is %s: %s: %s %s",
            email.id, email.address, status.value, answer.phase.value, answer.code or "no answer",
            answer.text,
        )  # fmt: skip


def _send(courier: Courier, email: Claimed, still_wanted: Callable[[], bool]) -> Answer:
    sender = parseaddr(courier.stationery.sender)[1]
    if not connection.in_atomic_block:
        connection.close()  # back to the pool: a slow mail server must not hold a connection
    try:
        return courier.mailer.send(sender, email.address, email.message, still_wanted)
    except Exception as error:  # a mailer's own fault must not leave the email claimed for ever
        logger.exception("the mailer failed on email %s", email.id)
        return Answer(Phase.CONNECT, None, f"the mailer failed: {type(error).__name__}")


def _persist(courier: Courier, action: Callable[[], Result]) -> Result:
    """Write to the database, however long it is away: what is forgotten here is sent twice."""
    patience = _STOPPING_PATIENCE_SECONDS
    while True:
        try:
            return action()
        except (OperationalError, InterfaceError) as error:
            if courier.stopping():
                patience -= 1
            if not patience:
                raise
            logger.warning("the database is away, trying again: %s", str(error).strip())
            close_old_connections()
            time.sleep(1)
