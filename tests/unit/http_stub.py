"""An HTTP server on loopback whose answers a test decides, and which remembers what it was asked."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """One request as it came; names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body, read as JSON."""
        document: dict[str, Any] = json.loads(self.body)
        return document


@dataclass(frozen=True)
class Answer:
    """What the server says; with status 0 it closes the connection and says nothing."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


NO_ANSWER = Answer(0)


@dataclass
class HttpStub:
    """The running server."""

    url: str
    requests: list[Request] = field(default_factory=list)

    @property
    def host(self) -> str:
        """HOST:PORT."""
        return self.url.partition("//")[2]


@contextmanager
def http_stub(answer: Callable[[Request], Answer]) -> Iterator[HttpStub]:
    """Serve until the end of the block."""
    stub = HttpStub("")

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {key.lower(): value for key, value in self.headers.items()}
            request = Request(self.command, self.path, headers, body)
            stub.requests.append(request)
            self._give(answer(request))
            self.close_connection = True

        def _give(self, given: Answer) -> None:
            if not given.status:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(given.status)
            for key, value in {"Content-Length": str(len(given.body)), **given.headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(b"" if self.command == "HEAD" else given.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class has
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    stub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
