"""Small wishes that come at the same time share one piece of work, such as a transaction.

Nobody waits for company that may not come: a wish that finds nobody at work begins at once, alone.
Those that come meanwhile wait until it is through; then the first of them does the work of all of
them. Each gets its own answer. Knows nothing of the work; works within one process.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Generic, TypeVar

Wish = TypeVar("Wish")
Answer = TypeVar("Answer")


class _Place(Generic[Wish, Answer]):
    """One caller's place in the queue; its lock is free once it is served, or its turn has come."""

    def __init__(self, wish: Wish, size: int) -> None:
        self.wish = wish
        self.size = size
        self.answer: Answer | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.called = Lock()
        self.called.acquire()


class Shared(Generic[Wish, Answer]):
    """Does what several threads wish for in one call of `work`, up to `most` in size."""

    def __init__(
        self,
        work: Callable[[Sequence[Wish]], Sequence[Answer]],
        *,
        most: int,
        concerns_all: Callable[[Exception], bool],
        moment: float = 0,
    ) -> None:
        """`work` answers each wish, in order, and does all of them or raises having done none.

        When it raises, each wish is tried alone, so that one cannot make another fail; but not
        after an error that `concerns_all`, such as a database that is away. `moment`: so many
        seconds are waited for others when there were some the last time.
        """
        self._work = work
        self._most = most
        self._concerns_all = concerns_all
        self._guard = Lock()
        self._queue: deque[_Place[Wish, Answer]] = deque()
        self._busy = False
        self._moment = moment
        self._together = 0  # the last time

    def take(self, wish: Wish, size: int) -> Answer:
        """The answer to a wish of this size; raises what its work raised."""
        mine: _Place[Wish, Answer] = _Place(wish, size)
        with self._guard:
            self._queue.append(mine)
            mine.leads, self._busy = not self._busy, True
        if not mine.leads:
            mine.called.acquire()
        if mine.leads:
            self._lead()
        if mine.error is not None:
            raise mine.error
        return mine.answer  # type: ignore[return-value]

    def _lead(self) -> None:
        if self._moment and self._together > 1:
            time.sleep(self._moment)
        with self._guard:
            group = self._next_group()
            self._together = len(group)
        try:
            self._serve(group)
        except BaseException as error:
            for place in group:
                place.error = place.error or error
            raise
        finally:
            with self._guard:
                self._busy = bool(self._queue)
                if self._queue:
                    self._queue[0].leads = True
                    self._queue[0].called.release()
            for place in group[1:]:
                place.called.release()

    def _next_group(self) -> list[_Place[Wish, Answer]]:
        """The caller's own, which is the first in the queue, and those behind it that fit."""
        group = [self._queue.popleft()]
        size = group[0].size
        while self._queue and size + self._queue[0].size <= self._most:
            size += self._queue[0].size
            group.append(self._queue.popleft())
        return group

    def _serve(self, group: Sequence[_Place[Wish, Answer]]) -> None:
        try:
            answers = self._work([place.wish for place in group])
        except Exception as error:
            if len(group) == 1 or self._concerns_all(error):
                for place in group:
                    place.error = error
                return
            for place in group:
                self._serve([place])
            return
        for place, answer in zip(group, answers, strict=True):
            place.answer = answer
