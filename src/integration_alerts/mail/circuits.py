"""The circuit of the mailer: while it is open, mails wait and one worker probes (issue 4).

One row per mailer that refuses us as a whole, seen by all workers; `rules.circuit` decides when.
The row goes by the mailer's name with a digest of its settings: a corrected one starts afresh.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from django.db import connection

from integration_alerts.mail.mailers import Mailer
from integration_alerts.mail.models import MailerCircuit
from integration_alerts.rules.circuit import closes, next_probe_at
from integration_alerts.rules.retry import Answer

logger = logging.getLogger(__name__)


class Permission(Enum):
    """What a worker may do now."""

    GO = auto()
    PROBE = auto()
    """Send one email, to see whether the mailer takes any."""
    WAIT = auto()


@dataclass(frozen=True, slots=True)
class OpenCircuit:
    """A mailer that refuses us, for the faces."""

    mailer: str
    opened_at: datetime
    probe_at: datetime
    probes: int
    phase: str
    code: int | None
    answer: str

    @property
    def words(self) -> str:
        """What the mailer said, on one line."""
        return f"{self.phase}: {self.code or 'no answer'} {self.answer}"


def may_send(mailer: Mailer, now: datetime, anything_due: Callable[[], bool]) -> Permission:
    """Whether emails may begin; probes the mailer if it is time, and if nobody else does."""
    circuit = MailerCircuit.objects.filter(mailer=mailer.name).first()
    if circuit is None:
        return Permission.GO
    if circuit.probe_at > now or (mailer.probes_by_sending and not anything_due()):
        return Permission.WAIT
    if not _claim_probe(circuit, now):
        return Permission.WAIT
    if mailer.probes_by_sending:
        return Permission.PROBE
    if not connection.in_atomic_block:
        connection.close()  # back to the pool: a slow mail server must not hold a connection
    answer = mailer.check()
    if not closes(answer):
        note(mailer, answer)
        return Permission.WAIT
    close_circuit(mailer)
    return Permission.GO


def open_circuit(mailer: Mailer, answer: Answer, now: datetime) -> None:
    """No email fares better than the one with this answer; the first to find out opens."""
    _, opened = MailerCircuit.objects.get_or_create(
        mailer=mailer.name,
        defaults={
            "opened_at": now,
            "probe_at": next_probe_at(0, now),
            "phase": answer.phase.value,
            "code": answer.code,
            "answer": answer.text,
        },
    )
    if opened:
        logger.error(
            "the mailer %s takes no mail, which waits until that is corrected: %s: %s %s",
            mailer.name, answer.phase.value, answer.code or "no answer", answer.text,
        )  # fmt: skip


def note(mailer: Mailer, answer: Answer) -> None:
    """Keep what the mailer said last."""
    MailerCircuit.objects.filter(mailer=mailer.name).update(
        phase=answer.phase.value, code=answer.code, answer=answer.text
    )


def close_circuit(mailer: Mailer) -> None:
    """All is well again."""
    if MailerCircuit.objects.filter(mailer=mailer.name).delete()[0]:
        logger.warning("the mailer %s takes mail again", mailer.name)


def forget_others(mailer: Mailer) -> None:
    """Drop what is known of mailers that the settings named before."""
    MailerCircuit.objects.exclude(mailer=mailer.name).delete()


def probe_due(now: datetime) -> bool:
    """Whether some worker should look at a mailer again."""
    return MailerCircuit.objects.filter(probe_at__lte=now).exists()


def open_circuits() -> list[OpenCircuit]:
    """Every mailer that refuses us, the longest first."""
    return [
        OpenCircuit(
            row.mailer, row.opened_at, row.probe_at, row.probes, row.phase, row.code, row.answer
        )
        for row in MailerCircuit.objects.order_by("opened_at")
    ]


def _claim_probe(circuit: MailerCircuit, now: datetime) -> bool:
    """Whether this worker is the one to probe: it moves the next probe on before anybody else."""
    mine = MailerCircuit.objects.filter(
        mailer=circuit.mailer, probes=circuit.probes, probe_at=circuit.probe_at
    )
    probes = circuit.probes + 1
    return bool(mine.update(probes=probes, probe_at=next_probe_at(probes, now)))
