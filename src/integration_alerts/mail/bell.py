"""A bell wakes a thread that waits for sockets, from any other thread."""

import contextlib
import socket
import threading


class Bell:
    """Rung any number of times, it is heard once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._button, self.socket = socket.socketpair()
        self._button.settimeout(0)
        self.socket.settimeout(0)

    def ring(self) -> None:
        """Wake whoever waits for `socket`."""
        # The lock keeps it from ringing at what gets the number of a closed one.
        with self._lock, contextlib.suppress(OSError):  # full: it will be heard; closed: by nobody
            self._button.send(b"!")

    def hear(self) -> None:
        """Make it silent again."""
        with contextlib.suppress(BlockingIOError):
            while self.socket.recv(4096):
                pass

    def close(self) -> None:
        """Nobody listens any more."""
        with self._lock:
            self._button.close()
            self.socket.close()
