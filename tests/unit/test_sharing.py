"""Small requests that come at the same time share a piece of work (directory.sharing)."""

import threading
from collections.abc import Callable, Sequence

import pytest

from integration_alerts.directory.sharing import Shared

SECONDS = 20


class Work:
    """Squares numbers; the first call waits until it is let go. A wish for 0 breaks its call."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.begun = threading.Event()
        self.let_go = threading.Event()

    def __call__(self, wishes: Sequence[int]) -> list[int]:
        self.calls.append(list(wishes))
        self.begun.set()
        assert self.let_go.wait(SECONDS)
        if 0 in wishes:
            raise ZeroDivisionError
        return [wish * wish for wish in wishes]


def nothing(_: Exception) -> bool:
    return False


def everything(_: Exception) -> bool:
    return True


def ask(
    work: Work, wishes: Sequence[int], *, most: int = 100, concerns_all: Callable = nothing
) -> dict[int, object]:
    """Ask for the first alone, and for the others while its work is going on; the answers."""
    shared = Shared(work, most=most, concerns_all=concerns_all)
    answers: dict[int, object] = {}

    def take(wish: int) -> None:
        try:
            answers[wish] = shared.take(wish, 1)
        except BaseException as error:
            answers[wish] = type(error)

    threads = [threading.Thread(target=take, args=(wish,)) for wish in wishes]
    threads[0].start()
    assert work.begun.wait(SECONDS)
    for count, thread in enumerate(threads[1:], start=1):
        thread.start()
        while len(shared._queue) < count:
            pass
    work.let_go.set()
    for thread in threads:
        thread.join(SECONDS)
    assert not shared._queue
    return answers


def test_those_that_come_meanwhile_share_the_next_call_and_get_their_own_answers() -> None:
    work = Work()
    assert ask(work, [1, 2, 3, 4]) == {1: 1, 2: 4, 3: 9, 4: 16}
    assert work.calls == [[1], [2, 3, 4]]


def test_one_that_fails_makes_no_other_fail() -> None:
    work = Work()
    assert ask(work, [1, 2, 0, 4]) == {1: 1, 2: 4, 0: ZeroDivisionError, 4: 16}
    assert work.calls == [[1], [2, 0, 4], [2], [0], [4]]


def test_a_fault_that_concerns_all_is_not_tried_again() -> None:
    work = Work()
    answers = ask(work, [1, 2, 0], concerns_all=everything)
    assert answers == {1: 1, 2: ZeroDivisionError, 0: ZeroDivisionError}
    assert work.calls == [[1], [2, 0]]


def test_a_call_is_bounded_and_the_rest_comes_next() -> None:
    work = Work()
    assert ask(work, [1, 2, 3, 4, 5, 6], most=2) == {n: n * n for n in range(1, 7)}
    assert work.calls == [[1], [2, 3], [4, 5], [6]]


def test_one_alone_waits_for_nobody_and_may_fail() -> None:
    work = Work()
    work.let_go.set()
    shared = Shared(work, most=1, concerns_all=nothing)
    assert shared.take(3, 1) == 9
    with pytest.raises(ZeroDivisionError):
        shared.take(0, 1)
    assert shared.take(4, 5) == 16  # larger than a call should be: alone


def test_a_moment_is_waited_for_others_only_where_there_were_some(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    shared = Shared(lambda wishes: wishes, most=100, concerns_all=nothing, moment=0.003)
    shared.take(1, 1)
    shared.take(2, 1)
    assert slept == []
    shared._together = 5
    shared.take(3, 1)
    shared.take(4, 1)
    assert slept == [0.003]
