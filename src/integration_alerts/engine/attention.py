"""A Procrastinate worker that loses no wake-up.

Procrastinate (3.10) forgets a notification that comes in while it asks the database for a job: it
clears its event after the answer. The job, and a mail with it, would wait for the next poll, up to
5 seconds. Here such a notification leads to one more question.
"""

import asyncio
from typing import Any

from procrastinate import App
from procrastinate.worker import Worker


class AttentiveEvent(asyncio.Event):
    """An event that survives one `clear` after each `set`."""

    def __init__(self) -> None:
        super().__init__()
        self._news = False

    def set(self) -> None:
        """Note the news, and wake whoever waits."""
        self._news = True
        super().set()

    def clear(self) -> None:
        """Called after each question: news that came since the last one need another."""
        if self._news:
            self._news = False
        else:
            super().clear()


def attentive_worker(app: App, **options: Any) -> Worker:
    """A worker with the app's defaults and these options of Procrastinate's `Worker`."""
    worker = Worker(app=app, **{**app.worker_defaults, **options})
    worker._new_job_event = AttentiveEvent()  # noqa: SLF001 (there is no other way in)
    return worker
