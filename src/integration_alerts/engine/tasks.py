"""The jobs of a worker. Each only says that there may be work, and drains what is due.

They carry no arguments and keep no results: a job that is lost, doubled or late changes nothing.
"""

from dataclasses import dataclass
from typing import cast

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from procrastinate import Blueprint, JobContext
from procrastinate.jobs import Status

from integration_alerts.engine import advancing, clock, posting, retention, wakeups, workers
from integration_alerts.engine.sweeping import Sweeper
from integration_alerts.mail import pacing
from integration_alerts.mail.courier import Courier
from integration_alerts.mail.lanes import Lanes


@dataclass(frozen=True, slots=True)
class Tools:
    """What the jobs of a worker work with."""

    courier: Courier
    lanes: Lanes
    sweeper: Sweeper


tasks = Blueprint()
_STALLED_SECONDS = 60
_KEEP_FAILED_HOURS = 24


@tasks.task(name=wakeups.PLAN, queue=wakeups.PLANNING_QUEUE, pass_context=True)
def plan(context: JobContext) -> None:
    """Plan the incidents that are due, and compose what comes of it."""
    wakeups.absorb(wakeups.PLAN)
    tools = _tools(context)
    domain = tools.courier.stationery.message_id_domain
    advancing.plan(clock.now(), domain, on_due=tools.lanes.wake)
    tools.sweeper.call()  # groups may have begun to wait


@tasks.task(name=wakeups.COMPOSE, queue=wakeups.PLANNING_QUEUE, pass_context=True)
def compose(context: JobContext) -> None:
    """Put notices into emails that planning left to this."""
    wakeups.absorb(wakeups.COMPOSE)
    tools = _tools(context)
    domain = tools.courier.stationery.message_id_domain
    advancing.compose(clock.now(), domain, on_due=tools.lanes.wake)
    tools.sweeper.call()


@tasks.task(name=wakeups.DELIVER, queue=wakeups.DELIVERING_QUEUE, pass_context=True)
def deliver(context: JobContext) -> None:
    """Have this worker's lanes deliver what is due; it goes on after this job."""
    _tools(context).lanes.wake()


@tasks.task(name=wakeups.POST, queue=wakeups.DELIVERING_QUEUE, pass_context=True)
def post(context: JobContext) -> None:
    """Send the mails of the pages that are due."""
    posting.post_due(_tools(context).courier)


@tasks.periodic(cron="23 * * * *")
@tasks.task(name="forget_dead_workers", queue=wakeups.PLANNING_QUEUE)
def forget_dead_workers(timestamp: int) -> None:  # noqa: ARG001
    """Tidy up the list of workers, and the lanes that no mail waits in."""
    workers.forget_dead()
    wakeups.forget_calls_to_the_dead(workers.alive())
    pacing.forget_old(clock.now())


@tasks.periodic(cron="41 * * * *")
@tasks.task(name="forget_sessions", queue=wakeups.PLANNING_QUEUE)
def forget_sessions(timestamp: int) -> None:  # noqa: ARG001
    """Delete the sessions that have ended, and with them what was typed in them."""
    SessionStore.clear_expired()


@tasks.periodic(cron="17 * * * *")
@tasks.task(name="forget_jobs", queue=wakeups.PLANNING_QUEUE, pass_context=True)
async def forget_jobs(context: JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Forget the jobs of dead workers and failed jobs of before yesterday."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=_STALLED_SECONDS):
        await manager.finish_job(job, Status.FAILED, delete_job=True)
    await manager.delete_old_jobs(nb_hours=_KEEP_FAILED_HOURS, include_failed=True)


@tasks.periodic(cron="* * * * *")
@tasks.task(name="prune", queue=wakeups.PLANNING_QUEUE, pass_context=True)
def prune(context: JobContext, timestamp: int) -> None:  # noqa: ARG001
    """Prune what is kept no longer; goes on at the next minute where it has to stop."""
    policy = retention.policy(settings.CONFIGURATION)
    retention.prune_for_a_while(policy, clock.now(), _tools(context).courier.stopping)


def _tools(context: JobContext) -> Tools:
    return cast("Tools", context.additional_context["tools"])
