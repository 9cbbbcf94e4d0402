"""Connections to a mail server that are kept open between emails, and how many it lets us have.

Opens none and speaks no SMTP but the goodbye.
"""

import logging
import threading
import time
from dataclasses import dataclass

from integration_alerts.mail.smtp_connection import SmtpConnection
from integration_alerts.rules.retry import Answer

QUIT_SECONDS = 2.0
# For so long a server that refused a further connection in words is asked for no more than it gave
# us; one that could not be reached for a moment, or said nothing, is tried again sooner.
_REFUSED_SECONDS, _AWAY_SECONDS = 60.0, 2.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Idle:
    connection: SmtpConnection
    since: float


class SmtpPool:
    """The idle connections to one server. For any number of threads; none raises."""

    def __init__(self, idle_seconds: float) -> None:
        """A connection that was idle for longer than `idle_seconds` is closed, not used again."""
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._idle: list[_Idle] = []  # the last used one at the end
        self._leaving: list[threading.Thread] = []
        self._closed = False
        self._limit = (0, 0.0)  # so many connections, until then

    def take(self) -> SmtpConnection | None:
        """The connection used last, so that surplus ones grow old at the other end of the list."""
        with self._lock:
            self._dismiss(self._remove_expired())
            return self._idle.pop().connection if self._idle else None

    def give_back(self, connection: SmtpConnection) -> None:
        """Keep a connection for the next email, if it is fit for one."""
        with self._lock:
            leaving = self._remove_expired()
            returned = _Idle(connection, since=time.monotonic())
            if connection.usable and not self._closed:
                self._idle.append(returned)
            else:
                leaving.append(returned)
            self._dismiss(leaving)

    def dismiss_idle(self) -> None:
        """Keep none of those that are idle: one was found dead, so the others may be."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._dismiss(idle)

    def close(self) -> None:
        """Say goodbye on idle connections, all together within seconds; keep none from here on."""
        with self._lock:
            self._closed = True
        self.dismiss_idle()
        for thread in self._leaving:
            thread.join()

    @property
    def count(self) -> int:
        """How many connections are idle."""
        return len(self._idle)

    def limit_to(self, count: int, answer: Answer) -> None:
        """Note that the server gives us no more connections than these, for a while."""
        seconds = _AWAY_SECONDS if answer.code is None else _REFUSED_SECONDS
        self._limit = (count, time.monotonic() + seconds)
        logger.warning(
            "the mail server gives us %s connections and no more for now: %s %s",
            count, answer.code or "no answer", answer.text,
        )  # fmt: skip

    def allowed(self, wanted: int) -> int:
        """How many connections there may be when so many are wanted."""
        count, until = self._limit
        return min(wanted, count) if time.monotonic() < until else wanted

    def _remove_expired(self) -> list[_Idle]:
        oldest = time.monotonic() - self._idle_seconds
        expired = [idle for idle in self._idle if idle.since < oldest]
        del self._idle[: len(expired)]  # the list is in the order of `since`
        return expired

    def _dismiss(self, leaving: list[_Idle]) -> None:
        """Apart from whoever sends: a server may take its time to answer a goodbye."""
        self._leaving = [thread for thread in self._leaving if thread.is_alive()]
        connections = [each.connection for each in leaving]
        for connection in connections:
            if not connection.usable:
                connection.drop()
        polite = [connection for connection in connections if connection.usable]
        if polite:
            thread = threading.Thread(target=_quit_all, args=(polite,), daemon=True)
            self._leaving.append(thread)
            thread.start()
            if self._closed:  # nobody else will wait for it
                thread.join()


def _quit_all(connections: list[SmtpConnection]) -> None:
    """Say goodbye one after the other, within one time limit for all of them."""
    deadline = time.monotonic() + QUIT_SECONDS
    for connection in connections:
        connection.quit(max(deadline - time.monotonic(), 0))
