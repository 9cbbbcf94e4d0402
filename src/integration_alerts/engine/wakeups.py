"""Waking workers: jobs that say "there may be work", deferred in the caller's transaction.

The rows are the truth. A lost or doubled wake-up changes nothing: the sweep finds the same rows.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

from django.db import connection
from procrastinate.contrib.django import app

NAMESPACE = "engine"
PLAN = "plan"
COMPOSE = "compose"
DELIVER = "deliver"
POST = "post"

PLANNING_QUEUE = "planning"  # never waits behind slow mail servers
DELIVERING_QUEUE = "delivering"
_QUEUES = {
    PLAN: PLANNING_QUEUE,
    COMPOSE: PLANNING_QUEUE,
    DELIVER: DELIVERING_QUEUE,
    POST: DELIVERING_QUEUE,
}


_ONE_WORKER = "worker-"

_nobody_listens: ContextVar[bool] = ContextVar("nobody_listens", default=False)


def wake(task: str, worker: UUID | None = None) -> None:
    """Wake a worker for this task as soon as the current transaction commits; any, or this one."""
    if _nobody_listens.get():
        return
    queue = _QUEUES[task] if worker is None else queue_of(worker)
    app.configure_task(_full_name(task), queue=queue).defer()


def is_called(worker: UUID) -> bool:
    """Whether a wake-up for this worker alone waits to be taken."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_CALLED, [queue_of(worker)])
        return bool(cursor.fetchone()[0])


def queue_of(worker: UUID) -> str:
    """The queue of the wake-ups that are for this worker alone."""
    # Shortened: the name of the channel that it makes has room for 63 bytes.
    return f"{_ONE_WORKER}{worker.hex[:16]}"


def forget_calls_to_the_dead(alive: Iterable[UUID]) -> None:
    """Delete the wake-ups for workers that are none of these: nobody will take them."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [f"{_ONE_WORKER}%", [queue_of(worker) for worker in alive]])


@contextmanager
def nobody_listens() -> Iterator[None]:
    """No wake-up is written while the block runs: for a database that no worker works on."""
    token = _nobody_listens.set(True)
    try:
        yield
    finally:
        _nobody_listens.reset(token)


def absorb(task: str) -> None:
    """Take away further wake-ups for a task that is about to look for all of its work.

    Each stands for work that is committed and will be found now. Those that a worker just took
    are left to it.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ABSORB, [_full_name(task)])


def _full_name(task: str) -> str:
    return f"{NAMESPACE}:{task}"


_ABSORB = """
DELETE FROM procrastinate_jobs
WHERE id IN (SELECT id FROM procrastinate_jobs
             WHERE status = 'todo' AND task_name = %s
             FOR UPDATE SKIP LOCKED)"""

# Served by Procrastinate's index of jobs by queue.
_IS_CALLED = """
SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = %s)"""

_FORGET = """
DELETE FROM procrastinate_jobs
WHERE status = 'todo' AND queue_name LIKE %s AND NOT queue_name = ANY(%s)"""
