"""A proxy between the command line and AWS: it numbers the calls of a process, and may do something at each of them."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

FORWARDED_WITHIN = 60.0
HOP_BY_HOP = frozenset(("connection", "keep-alive", "transfer-encoding", "content-length"))


@dataclass(frozen=True)
class Call:
    """One AWS call: the operation, and the how-manieth of it in this run."""

    operation: str
    number: int

    def __str__(self) -> str:
        return f"{self.operation} {self.number}"


@dataclass(frozen=True)
class Answer:
    """What AWS answered."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class Exchange:
    """One call and its answer, in the hands of a fault."""

    def __init__(self, handler: Handler, proxy: Proxy) -> None:
        self._handler = handler
        self._proxy = proxy

    def forwarded(self, upstream: str = "", **headers: str) -> Answer:
        """What AWS answers, or another upstream."""
        handler = self._handler
        return _ask(upstream or self._proxy.upstream, handler.path, {**handler.headers, **headers}, handler.asked)

    def answer(self, answer: Answer) -> None:
        """Send an answer back."""
        self._handler.answer(answer)

    def reset(self) -> None:
        """End the connection with a TCP reset, and no answer."""
        connection = self._handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._handler.close_connection = True
        connection.close()

    def close(self) -> None:
        """Send nothing."""
        self._handler.close_connection = True

    def signal_caller(self, number: int) -> None:
        """Send the process that made the call a signal."""
        with suppress(ProcessLookupError):
            os.kill(self._proxy.pid, number)

    def kill_caller(self) -> None:
        """SIGKILL the process that made the call."""
        self.signal_caller(signal.SIGKILL)
        self.close()


Act = Callable[[Exchange], None]
Disturb = Callable[[Call], "Act | None"]
"""What is to happen at a call; None: it passes."""


@dataclass
class Proxy:
    """Listens on loopback before `upstream`; `endpoint` is for the one process, `pid`, that is watched."""

    upstream: str
    endpoint: str = ""
    pid: int = 0
    calls: list[Call] = field(default_factory=list)
    disturbed: list[Call] = field(default_factory=list)
    _disturb: Disturb | None = None
    _counts: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, disturb: Disturb | None = None) -> None:
        """Count anew, with this disturbance."""
        with self._lock:
            self.calls, self.disturbed, self._counts, self._disturb = [], [], {}, disturb

    def arrived(self, operation: str) -> Act | None:
        """Number a call; what is to happen at it."""
        with self._lock:
            number = self._counts[operation] = self._counts.get(operation, 0) + 1
            call = Call(operation, number)
            self.calls.append(call)
            act = self._disturb(call) if self._disturb else None
            if act:
                self.disturbed.append(call)
            return act


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    proxy: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Pass a call on, or let what is to happen at it happen."""
        self.asked = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        act = self.proxy.arrived(operation_of(self.headers, self.path, self.asked))
        exchange = Exchange(self, self.proxy)
        with suppress(ConnectionError):
            if act is None:
                exchange.answer(exchange.forwarded())
            else:
                act(exchange)

    do_GET = do_POST  # noqa: N815 - the name that the base class looks for

    def answer(self, answer: Answer) -> None:
        """Send an answer back."""
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def operation_of(headers: Any, path: str, body: bytes) -> str:
    """The operation's name, in whichever of AWS' protocols it was asked."""
    if headers.get("X-Amz-Target"):
        return str(headers["X-Amz-Target"]).rpartition(".")[2]
    cbor = re.search(r"/service/\w+/operation/(\w+)", path)
    if cbor:
        return cbor[1]
    return parse_qs(body.decode(errors="replace")).get("Action", ["?"])[0]


def _ask(upstream: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
    parts = urlsplit(upstream)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=FORWARDED_WITHIN)
    try:
        connection.request("POST", path, body, {**headers, "Host": parts.netloc})
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


@contextmanager
def listening(upstream: str) -> Iterator[Proxy]:
    """A proxy before `upstream`."""
    proxy = Proxy(upstream)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("BoundHandler", (Handler,), {"proxy": proxy}))
    server.daemon_threads = True
    proxy.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
