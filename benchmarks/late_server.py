"""`python -m benchmarks.late_server PORT BEHIND SECONDS CONNECTIONS`: a mail server far away.

Hands on at once what clients send to the server on port BEHIND of loopback, and what that answers
so many SECONDS late, however many answers are under way: like a network, and unlike a busy server.
Above CONNECTIONS at once, refuses with 421. Writes a line of JSON whenever its peak or refusals
change.
"""

import json
import select
import socket
import sys
import time
from collections import deque

_REFUSAL = b"421 4.7.0 too many connections from you\r\n"
_PIECE = 1 << 16


class LateServer:
    """One thread; sockets block when they are written to, which loopback never does for long."""

    def __init__(self, port: int, behind: int, seconds: float, connections: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1000)
        self._behind = ("127.0.0.1", behind)
        self._seconds = seconds
        self._connections = connections
        self._poll = select.epoll()
        self._poll.register(self._listener, select.EPOLLIN)
        self._sockets: dict[int, socket.socket] = {}
        self._other: dict[int, socket.socket] = {}
        self._clients: set[int] = set()
        self._late: deque[tuple[float, socket.socket, bytes]] = deque()
        self._seen = {"peak": 0, "refused": 0}

    def serve(self) -> None:
        """Until the process ends."""
        self._write()
        while True:
            wait = max(0.0, self._late[0][0] - time.monotonic()) if self._late else -1
            for number, _ in self._poll.poll(wait):
                if number == self._listener.fileno():
                    self._accept()
                elif number in self._sockets:
                    self._read(number)
            self._hand_on()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if len(self._clients) >= self._connections:
            self._seen["refused"] += 1
            self._write()
            with client:
                _send(client, _REFUSAL)
            return
        server = socket.create_connection(self._behind)
        for one, other in ((client, server), (server, client)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[one.fileno()] = one
            self._other[one.fileno()] = other
            self._poll.register(one, select.EPOLLIN)
        self._clients.add(client.fileno())
        if len(self._clients) > self._seen["peak"]:
            self._seen["peak"] = len(self._clients)
            self._write()

    def _read(self, number: int) -> None:
        try:
            data = self._sockets[number].recv(_PIECE)
        except OSError:
            data = b""
        other = self._other[number]
        if number not in self._clients:
            # smtp-sink writes each reply by itself, and the second waits until the first one is
            # acknowledged: for up to 40 ms more, where nobody has anything to say meanwhile.
            self._sockets[number].setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            self._late.append((time.monotonic() + self._seconds, other, data))
            if not data:
                self._poll.unregister(number)  # the rest of what it said is under way
        elif not data or not _send(other, data):
            self._close(number)

    def _hand_on(self) -> None:
        now = time.monotonic()
        while self._late and self._late[0][0] <= now:
            _, client, data = self._late.popleft()
            number = client.fileno()
            if number >= 0 and (not data or not _send(client, data)):
                self._close(number)

    def _close(self, client: int) -> None:
        for one in (self._sockets[client], self._other[client]):
            number = one.fileno()
            del self._sockets[number], self._other[number]
            one.close()  # also leaves epoll
        self._clients.discard(client)

    def _write(self) -> None:
        sys.stdout.write(json.dumps(self._seen) + "\n")
        sys.stdout.flush()


def _send(to: socket.socket, data: bytes) -> bool:
    try:
        to.sendall(data)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    _port, _behind, _seconds, _connections = sys.argv[1:]
    LateServer(int(_port), int(_behind), float(_seconds), int(_connections)).serve()
