"""An email service's API on loopback: keeps the requests, and answers as a test says.

with EspServer() as server:
    server.answer(200, {"id": "m1"})
    mailer = EspMailer(parse_esp_url(f"resend://key-of-eight@?api_url={server.url}"))
"""

import base64
import json
import threading
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs


@dataclass(frozen=True, slots=True)
class Request:
    """What the service was asked."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        """The body as the service reads it: JSON, or a form as lists of values."""
        try:
            return json.loads(self.body)
        except ValueError:
            return parse_qs(self.body.decode())

    @property
    def everything(self) -> str:
        """All that was said, readable: to look for what must have gone along."""
        return json.dumps([self.path, self.data], ensure_ascii=False)

    @property
    def raw_message(self) -> Any:
        """The whole message that Amazon SES was given."""
        raw = base64.b64decode(self.data["Content"]["Raw"]["Data"])
        return message_from_bytes(raw, policy=default)


class EspServer:
    """See the module."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self._answer: tuple[int, bytes, dict[str, str]] = (200, b"{}", {})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def answer(self, status: int, body: Any = "", **headers: str) -> None:
        """From now on; a `status` of 0 cuts the connection instead."""
        text = body if isinstance(body, str) else json.dumps(body)
        kind = "text/html" if isinstance(body, str) else "application/json"
        self._answer = (status, text.encode(), {"Content-Type": kind, **headers})

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                server.connections += 1

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append(Request(self.path, headers, body))
                status, answer, more = server._answer
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                for name, value in {**more, "Content-Length": str(len(answer))}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Quiet."""

        return Handler
