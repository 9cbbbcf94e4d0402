"""Which workers are alive: every worker renews its heartbeat, by the database's clock.

The database's clock, because workers on several machines need one that they agree on.
"""

import logging
import os
import random
import socket
import threading
from collections.abc import Callable, Collection
from types import TracebackType
from uuid import UUID, uuid4

from django.db import Error, close_old_connections, connection

from integration_alerts.engine import processes, wakeups

HEARTBEAT_SECONDS = 2
DEAD_AFTER_SECONDS = 10
_FORGET_AFTER_SECONDS = 3600

logger = logging.getLogger(__name__)


def alive() -> Collection[UUID]:
    """The workers whose heartbeat is fresh."""
    with connection.cursor() as cursor:
        cursor.execute(_ALIVE, [DEAD_AFTER_SECONDS])
        return [row[0] for row in cursor.fetchall()]


def call_another(caller: UUID) -> None:
    """Have one of the other workers deliver, too; called again and again, all of them join in."""
    others = [worker for worker in alive() if worker != caller]
    # By name: the caller, wide awake, would take a wake-up for anybody before they do.
    if others and not wakeups.is_called(other := random.choice(others)):  # noqa: S311
        wakeups.wake(wakeups.DELIVER, other)


def forget_dead() -> None:
    """Delete the rows of workers that are long gone."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [_FORGET_AFTER_SECONDS])


def possibly_alive() -> Collection[UUID]:
    """The workers that may still be sending what they have claimed.

    Dead is who was silent too long, and whose process on this machine is gone. Silence counts only
    while somebody else was heard all that time: after the database was away everybody has been
    silent, and whoever beats first must not take the others for dead.
    """
    with connection.cursor() as cursor:
        cursor.execute(_HEARD, [DEAD_AFTER_SECONDS])
        rows = cursor.fetchall()
    witnessed = any(fresh and steady for *_, fresh, steady in rows)
    here = processes.place()
    return [
        worker
        for worker, place, process_id, started, fresh, _ in rows
        if (fresh or not witnessed)
        and not (here and place == here and processes.started(process_id) != started)
    ]


class Heartbeat:
    """Keeps this process known as a live worker while the `with` block runs."""

    def __init__(self, on_beat: Callable[[UUID], object] = lambda _: None) -> None:
        self.worker = uuid4()
        self._on_beat = on_beat  # told the worker's id after every beat
        process_id = os.getpid()
        self._identity = (
            socket.gethostname(),
            processes.place(),
            process_id,
            processes.started(process_id),
        )
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._beat()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()
        try:
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM worker WHERE id = %s", [self.worker])
        except Error:  # the database is away: the heartbeat ends by itself
            logger.warning("could not sign off as a worker")

    def _run(self) -> None:
        while not self._stopped.wait(HEARTBEAT_SECONDS):
            try:
                self._beat()
                self._on_beat(self.worker)
            except Error as error:
                logger.warning("no heartbeat: %s", str(error).strip())
            close_old_connections()

    def _beat(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_BEAT, [self.worker, *self._identity, DEAD_AFTER_SECONDS])


_BEAT = """
INSERT INTO worker (id, host, place, process_id, process_started, beating_since, heartbeat_at)
VALUES (%s, %s, %s, %s, %s, now(), now())
ON CONFLICT (id) DO UPDATE
SET heartbeat_at = excluded.heartbeat_at,
    beating_since = CASE WHEN worker.heartbeat_at < now() - make_interval(secs => %s)
                         THEN now() ELSE worker.beating_since END"""

_HEARD = """
SELECT id, place, process_id, process_started, heartbeat_at > now() - patience,
       beating_since < now() - patience
FROM worker, make_interval(secs => %s) AS patience"""

_ALIVE = "SELECT id FROM worker WHERE heartbeat_at > now() - make_interval(secs => %s)"
_FORGET = "DELETE FROM worker WHERE heartbeat_at < now() - make_interval(secs => %s)"
