"""The worker process: takes wake-ups until it is told to stop, and then stops cleanly.

Planning and composing never wait behind a slow mail server: their queue has slots of its own.
"""

import asyncio
import functools
import logging
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from procrastinate import App
from procrastinate.contrib.django import DjangoApp, app
from procrastinate.exceptions import ConnectorException
from psycopg import OperationalError

from integration_alerts.configuration import Configuration
from integration_alerts.engine import clock, wakeups, workers
from integration_alerts.engine.attention import attentive_worker
from integration_alerts.engine.equipment import mailer_for, pace_for, stationery_for
from integration_alerts.engine.garbage import search_rarely
from integration_alerts.engine.listening import listening_connector
from integration_alerts.engine.sweeping import Sweeper
from integration_alerts.engine.tasks import Tools, tasks
from integration_alerts.engine.workers import Heartbeat
from integration_alerts.mail import circuits
from integration_alerts.mail.courier import Clerks, Courier
from integration_alerts.mail.in_hand import InHand
from integration_alerts.mail.lanes import Lanes

DEFAULT_CONCURRENCY = 40  # Postfix lets one client have 50 connections
_PLANNERS = 3  # one of them may be pruning
_DELIVERERS = 2  # of notices, which the lanes do, and of the mails of the pages
_RETRY_SECONDS = 2
# As Python comes, whoever writes emails keeps the thread that speaks to mail servers waiting for 5
# ms at a time: a quarter of a round trip.
_SWITCH_SECONDS = 0.0005

logger = logging.getLogger(__name__)


def work(concurrency: int = DEFAULT_CONCURRENCY) -> None:
    """Run a worker until SIGTERM or SIGINT; mails in flight are finished, none is left `sending`.

    `concurrency` is how many emails it sends at the same time.
    """
    configuration: Configuration = settings.CONFIGURATION
    mailer = mailer_for(configuration)
    stopping = threading.Event()
    # From before it is seen as alive: whoever sees it may stop it at once.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    in_hand = InHand()
    with Heartbeat(lambda worker: in_hand.give_back_unknown(worker, clock.now())) as heartbeat:
        courier = Courier(
            worker=heartbeat.worker,
            mailer=mailer,
            stationery=stationery_for(configuration),
            clock=clock.now,
            stopping=stopping.is_set,
            slots=concurrency,
            in_hand=in_hand,
            pace=pace_for(configuration),
        )
        circuits.forget_others(mailer)
        search_rarely()
        sys.setswitchinterval(_SWITCH_SECONDS)
        logger.info("worker %s is ready, up to %s mails at once", os.getpid(), concurrency)
        with Clerks() as clerks:
            with ThreadPoolExecutor(concurrency, "lane") as threads:
                call_another = functools.partial(workers.call_another, heartbeat.worker)
                lanes = Lanes(courier, call_another, threads.submit, clerks)
                with Sweeper(lanes.wake) as sweeper:
                    asyncio.run(_until_stopped(Tools(courier, lanes, sweeper), stopping))
            lanes.finish()
    mailer.close()
    logger.info("worker %s has stopped", os.getpid())


async def _until_stopped(tools: Tools, stopping: threading.Event) -> None:
    loop = asyncio.get_running_loop()
    # The default would hold as many threads as there are processors.
    loop.set_default_executor(ThreadPoolExecutor(_PLANNERS + _DELIVERERS))
    stop = asyncio.Event()

    def stop_now() -> None:
        stopping.set()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_now)
    if stopping.is_set():
        stop.set()
    while not stop.is_set():
        try:
            await _run_queues(tools, stop)
        except (ConnectorException, OperationalError, OSError) as error:
            logger.warning("the database is away, trying again: %s", str(error).strip())
            await _wait(stop, _RETRY_SECONDS)


async def _run_queues(tools: Tools, stop: asyncio.Event) -> None:
    """Take wake-ups until `stop`, with slots of their own for planning; an error ends all."""
    worker_app, own_queue = _worker_app(), wakeups.queue_of(tools.courier.worker)
    with worker_app.replace_connector(listening_connector()) as opened:
        async with opened.open_async():
            runs = [
                asyncio.create_task(
                    attentive_worker(
                        opened,
                        queues=queues,
                        concurrency=slots,
                        install_signal_handlers=False,
                        delete_jobs="successful",
                        additional_context={"tools": tools},
                    ).run()  # type: ignore[no-untyped-call]
                )
                for queues, slots in (
                    ([wakeups.PLANNING_QUEUE], _PLANNERS),
                    ([wakeups.DELIVERING_QUEUE, own_queue], _DELIVERERS),
                )
            ]
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait([*runs, stopped], return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            for run in runs:
                run.cancel()  # Procrastinate lets running jobs finish
            outcomes = await asyncio.gather(*runs, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return


@functools.cache
def _worker_app() -> App:
    """Procrastinate's app with the tasks; faces that only wake workers do without."""
    worker_app = DjangoApp(connector=app.connector)
    worker_app.add_tasks_from(tasks, namespace=wakeups.NAMESPACE)
    return worker_app
