"""Outcomes that come in together are written together, and each caller gets its own."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from integration_alerts.mail.models import EmailStatus
from integration_alerts.mail.outbox import Attempt, Claimed
from integration_alerts.mail.recording import Recorder
from integration_alerts.rules.retry import Answer, Phase

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def attempt(number: int) -> Attempt:
    return Attempt(Claimed(number, "", b""), Answer(Phase.ACCEPTANCE, 250, ""), NOW, NOW, 0.5)


class Slow:
    """A database that takes its time with the first batch."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.go_on = threading.Event()
        self.begun = threading.Event()

    def write(self, attempts: Sequence[Attempt]) -> Mapping[int, EmailStatus]:
        numbers = [each.email.id for each in attempts]
        self.batches.append(numbers)
        self.begun.set()
        assert self.go_on.wait(5)
        return {
            number: EmailStatus.SENT if number % 2 else EmailStatus.FAILED for number in numbers
        }


def test_those_that_come_while_one_is_written_share_the_next_transaction() -> None:
    database = Slow()
    with ThreadPoolExecutor(10) as threads:
        recorder = Recorder(database.write, threads.submit)
        first = threads.submit(recorder.record, attempt(0))
        assert database.begun.wait(5)
        others = {
            number: threads.submit(recorder.record, attempt(number)) for number in range(1, 9)
        }
        while len(recorder._waiting) < 8:
            pass
        database.go_on.set()
        assert first.result() is EmailStatus.FAILED
        for number, other in others.items():
            assert other.result() is (EmailStatus.SENT if number % 2 else EmailStatus.FAILED)
    assert [len(batch) for batch in database.batches] == [1, 8]


def test_everybody_of_a_batch_hears_of_its_fault_and_the_next_one_is_written() -> None:
    faults = [OSError("gone")]

    def write(attempts: Sequence[Attempt]) -> Mapping[int, EmailStatus]:
        if faults:
            raise faults.pop()
        return {each.email.id: EmailStatus.SENT for each in attempts}

    recorder = Recorder(write, lambda run: run())
    with pytest.raises(OSError, match="gone"):
        recorder.record(attempt(1))
    assert recorder.record(attempt(2)) is EmailStatus.SENT


def test_many_threads_each_get_their_answer() -> None:
    def write(attempts: Sequence[Attempt]) -> Mapping[int, EmailStatus]:
        written.extend(each.email.id for each in attempts)
        return {each.email.id: EmailStatus.SENT for each in attempts}

    written: list[int] = []
    with ThreadPoolExecutor(20) as threads, ThreadPoolExecutor(1) as clerk:
        recorder = Recorder(write, clerk.submit)
        found = list(threads.map(lambda number: recorder.record(attempt(number)), range(500)))
    assert found == [EmailStatus.SENT] * 500
    assert sorted(written) == list(range(500))
