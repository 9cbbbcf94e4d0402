"""Connections that are being opened: each waits for its server in a thread of its own.

Decides neither how many there may be nor for which email they are.
"""

import queue
import threading
from collections.abc import Callable, Iterator

from integration_alerts.mail.smtp_connection import SmtpConnection


class Openings:
    """What is being opened for one thread, which is told when it is done."""

    def __init__(self, connect: Callable[[], SmtpConnection], tell: Callable[[], None]) -> None:
        """`connect` waits for the server; it and `tell` are called from any thread."""
        self._connect = connect
        self._tell = tell
        self._done: queue.SimpleQueue[SmtpConnection | Exception] = queue.SimpleQueue()
        self.count = 0
        """How many are under way, or done and not taken."""

    def begin(self, *, apart: bool) -> None:
        """Open one; not `apart`: wait for it."""
        self.count += 1
        if apart:
            threading.Thread(target=self._open, name="opening", daemon=True).start()
        else:
            self._open()

    def take_done(self) -> Iterator[SmtpConnection | Exception]:
        """Those that are open, and why the others are not."""
        while not self._done.empty():
            self.count -= 1
            yield self._done.get()

    def _open(self) -> None:
        try:
            self._done.put(self._connect())
        except Exception as error:
            self._done.put(error)
        self._tell()
