"""A worker asks once more for what was told while it asked."""

import asyncio

from procrastinate import App
from procrastinate.testing import InMemoryConnector

from integration_alerts.engine.attention import AttentiveEvent, attentive_worker


def test_news_survives_the_question_during_which_it_came() -> None:
    event = AttentiveEvent()
    event.set()
    event.clear()
    assert event.is_set()
    event.clear()
    assert not event.is_set()


def test_without_news_it_waits() -> None:
    event = AttentiveEvent()
    event.clear()
    assert not event.is_set()


def test_a_job_told_of_while_the_worker_asks_is_done_at_once() -> None:
    app = App(connector=InMemoryConnector())
    done: list[int] = []

    @app.task(name="late")
    async def late() -> None:
        done.append(1)

    async def live() -> None:
        worker = attentive_worker(app, install_signal_handlers=False)
        fetch = app.job_manager.fetch_job
        questions = 0

        async def fetch_while_a_job_comes(**arguments: object) -> object:
            nonlocal questions
            questions += 1
            if questions == 1:  # the database looked just before the job was there
                worker._new_job_event.set()
                return None
            return await fetch(**arguments)  # type: ignore[arg-type]

        await late.defer_async()
        app.job_manager.fetch_job = fetch_while_a_job_comes  # type: ignore[method-assign]
        task = asyncio.create_task(worker.run())
        async with asyncio.timeout(3):  # the poll would come after 5 seconds
            while not done:
                await asyncio.sleep(0.01)
        worker.stop()
        await task

    asyncio.run(live())
    assert done == [1]
