"""Delivering what is due: claim, check again, send, record; the order that R10, R12 and R24 need.

Any number of threads and workers may do this at once. Speaks to no server itself: a mailer does.
"""

import logging
import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from integration_alerts.mail import circuits, outbox, pacing, return_path
from integration_alerts.mail.circuits import Permission
from integration_alerts.mail.in_hand import InHand
from integration_alerts.mail.mailers import Mailer
from integration_alerts.mail.models import EmailStatus
from integration_alerts.mail.outbox import Claimed
from integration_alerts.mail.pacing import Pace
from integration_alerts.mail.writing import Stationery
from integration_alerts.rules import circuit
from integration_alerts.rules.retry import Answer, Phase

Result = TypeVar("Result")
logger = logging.getLogger(__name__)

# At most, so that a stopping worker gives little back. With less to do than that for every slot,
# each takes its share: a slow server must not hold up mails that others could send.
BATCH = 20
_STOPPING_PATIENCE_SECONDS = 30
# By so much emails that were not begun go ahead of one that met a refusal of them all: should the
# server mean that one alone, they do not wait for it for ever.
_AHEAD = timedelta(seconds=5)


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
    pace: Pace = field(default_factory=Pace)


def deliver_batch(courier: Courier, on_more: Callable[[], None]) -> int:
    """Deliver one batch; returns how many emails were claimed, 0: nothing is due, or may go.

    `on_more` is called before sending when there may be more, so that others can begin meanwhile.
    """
    due = outbox.count_due(courier.clock(), limit=BATCH * courier.slots)
    permission = circuits.may_send(courier.mailer, courier.clock(), anything_due=bool(due))
    if permission is Permission.WAIT:
        return 0
    probing = permission is Permission.PROBE
    share = 1 if probing else min(BATCH, max(1, due // courier.slots))
    emails = deque(outbox.claim(courier.worker, courier.clock(), share, courier.stationery))
    courier.in_hand.take(email.id for email in emails)
    claimed = len(emails)
    try:
        if due > claimed and not probing:
            on_more()
        if not probing:
            _wait_for_their_turn(courier, emails)
        _deliver_each(courier, emails, probing=probing)
    finally:
        _give_back(courier, [email.id for email in emails], ahead=_AHEAD)
    return claimed


def _wait_for_their_turn(courier: Courier, emails: deque[Claimed]) -> None:
    """Give back those that the pace does not let go yet."""
    going, waiting = pacing.hold_back(courier.pace, list(emails), courier.worker, courier.clock())
    emails.clear()
    emails.extend(going)
    courier.in_hand.drop(email.id for email in waiting)


def _deliver_each(courier: Courier, emails: deque[Claimed], *, probing: bool) -> None:
    """Deliver from the front; leaves what is not to be begun now."""
    while emails and not courier.stopping():
        wanted = outbox.check_again(emails[0], courier.worker, courier.clock(), courier.stationery)
        # Away before it is sent: should recording fail, it must not pass for one not begun.
        done = emails.popleft()
        if wanted is not None and not _deliver(courier, wanted, probing=probing):
            _give_back(courier, [done.id])
            return
        courier.in_hand.drop([done.id])


def _give_back(courier: Courier, ids: list[int], ahead: timedelta = timedelta(0)) -> None:
    if not ids:
        return

    def give_back() -> None:
        outbox.give_back(ids, courier.worker, courier.clock() - ahead)
        pacing.keep_places(courier.pace, ids, courier.clock())

    _persist(courier, give_back)
    courier.in_hand.drop(ids)


def _deliver(courier: Courier, email: Claimed, *, probing: bool) -> bool:
    """Send one email and record what came of it; False: no mailer to send by, nothing counts."""
    current: Claimed | None = email

    def still_wanted() -> bool:
        nonlocal current
        current = outbox.check_again(email, courier.worker, courier.clock(), courier.stationery)
        return current == email

    while current is not None:
        email = current
        started = courier.clock()
        answer = _send(courier, email, still_wanted)
        if current != email:
            continue
        if circuit.opens(answer):
            _refuse_all(courier, answer, probing=probing)
            return False
        _record(courier, email, answer, started)
        if probing and circuit.closes_after_attempt(answer):
            _persist(courier, lambda: circuits.close_circuit(courier.mailer))
        break
    return True


def _refuse_all(courier: Courier, answer: Answer, *, probing: bool) -> None:
    if probing:
        _persist(courier, lambda: circuits.note(courier.mailer, answer))
    else:
        now = courier.clock()
        _persist(courier, lambda: circuits.open_circuit(courier.mailer, answer, now))


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
    sender = courier.stationery.envelope_sender(email.id)
    if not connection.in_atomic_block:
        connection.close()  # back to the pool: a slow mail server must not hold a connection
    try:
        return courier.mailer.send(
            sender, email.address, email.message, still_wanted, return_path.token(email.id)
        )
    except Exception as error:  # a mailer's own fault must not leave the email claimed for ever
        logger.exception("the mailer failed on email %s", email.id)
        # Nobody knows how far it came.
        return Answer(Phase.ACCEPTANCE, None, f"the mailer failed: {type(error).__name__}")


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
