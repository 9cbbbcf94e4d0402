"""As much of PostgreSQL's protocol as it takes to ask whether a server answers.

No passwords, no values: a statement runs for its effect and for the number of its rows. psycopg
would do the same, but takes longer to import than the server to start.
"""

import socket
import struct
from pathlib import Path
from typing import NoReturn

PROTOCOL = 3 << 16
SECONDS = 10.0


class RefusedError(Exception):
    """The server answered with an error, whose message this has."""


def execute(path: Path, user: str, database: str, statement: str) -> int:
    """The number of rows of one statement; OSError: nobody answers, RefusedError: an error."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(str(path))
        names = b"".join(text.encode() + b"\0" for text in ("user", user, "database", database, ""))
        connection.sendall(struct.pack("!II", len(names) + 8, PROTOCOL) + names)
        _rows_until_ready(connection)
        query = statement.encode() + b"\0"
        connection.sendall(b"Q" + struct.pack("!I", len(query) + 4) + query)
        rows = _rows_until_ready(connection)
        connection.sendall(b"X" + struct.pack("!I", 4))
        return rows


def _rows_until_ready(connection: socket.socket) -> int:
    rows = 0
    while True:
        kind, length = struct.unpack("!cI", _receive(connection, 5))
        body = _receive(connection, length - 4)
        if kind == b"E":
            _refuse(body)
        if kind == b"D":
            rows += 1
        if kind == b"Z":
            return rows


def _receive(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        part = connection.recv(size - len(received))
        if not part:
            raise ConnectionResetError("the server closed the connection")
        received += part
    return received


def _refuse(body: bytes) -> NoReturn:
    fields = {part[:1]: part[1:].decode(errors="replace") for part in body.split(b"\0") if part}
    raise RefusedError(fields.get(b"M", "the server gave no reason"))
