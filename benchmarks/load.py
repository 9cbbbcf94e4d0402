"""`python -m benchmarks.load PORT FILE SECONDS PACE`: posts prepared requests, and times them.

FILE holds the requests of every connection (`prepared.write`); they are sent one after the other
over one kept-open connection each, all connections at once, for SECONDS at most and at PACE
requests a second (0: as fast as answers come). A process of its own that does nothing but copy
bytes, so that it takes little of the processors from what is measured. Prints one line of JSON.
"""

import json
import socket
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from benchmarks.prepared import read

_PIECE = 1 << 18
_OUTCOMES = ("applied", "unchanged", "duplicate", "stale", "rejected")


class Lane(threading.Thread):
    """One connection and its requests."""

    def __init__(self, port: int, requests: list[bytes], seconds: float, pace: float) -> None:
        super().__init__()
        self._requests = requests
        self._seconds = seconds
        self._gap = 1 / pace if pace else 0.0
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answers: list[bytes] = []
        self.instants: list[int] = []
        """When each answer was there, as time.monotonic_ns()."""
        self.wrong: bytes = b""

    def run(self) -> None:
        """Send and read until all is answered, time is up, or an answer is not 200."""
        began = time.monotonic()
        for number, request in enumerate(self._requests):
            if self._gap:
                time.sleep(max(0.0, began + number * self._gap - time.monotonic()))
            if time.monotonic() - began > self._seconds:
                break
            self._socket.sendall(request)
            head, body = self._answer()
            if not head.startswith(b"HTTP/1.1 200 "):
                self.wrong = head + body
                break
            self.instants.append(time.monotonic_ns())
            self.answers.append(body)
        self._socket.close()

    def _answer(self) -> tuple[bytes, bytes]:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._piece()
        head, _, body = received.partition(b"\r\n\r\n")
        parts = [body]
        length = _length(head)
        if length is None:
            while not parts[-1].endswith(b"0\r\n\r\n"):
                parts.append(self._piece())
        else:
            missing = length - len(body)
            while missing > 0:
                parts.append(self._piece())
                missing -= len(parts[-1])
        return head, b"".join(parts)

    def _piece(self) -> bytes:
        piece = self._socket.recv(_PIECE)
        if not piece:
            raise ConnectionError("the server closed the connection")
        return piece


def _length(head: bytes) -> int | None:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return None


def main(port: int, file: Path, seconds: float, pace: float) -> dict[str, object]:
    """Send everything; what came of it."""
    lanes = [Lane(port, requests, seconds, pace) for requests in read(file)]
    began, began_ns = time.time(), time.monotonic_ns()
    for lane in lanes:
        lane.start()
    for lane in lanes:
        lane.join()
    outcomes: Counter[str] = Counter()
    for body in (body for lane in lanes for body in lane.answers):
        for outcome in _OUTCOMES:
            outcomes[outcome] += body.count(b'"%s"' % outcome.encode())
    return {
        "began": began,
        "seconds": (max(max(lane.instants) for lane in lanes) - began_ns) / 1e9,
        "outcomes": outcomes,
        "instants": [lane.instants for lane in lanes],
        "wrong": next((lane.wrong.decode()[:500] for lane in lanes if lane.wrong), ""),
    }


if __name__ == "__main__":
    _port, _file, _seconds, _pace = sys.argv[1:]
    print(json.dumps(main(int(_port), Path(_file), float(_seconds), float(_pace))))
