"""A web server of a test's own, to be registered as a target and told how to answer."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOST = "127.0.0.1"


class WebServer:
    """Answers `body` at once; /health with `health` after `delay` seconds; /slow after two seconds."""

    def __init__(self, body: str = "up") -> None:
        self.body = body
        self.health = 200
        self.delay = 0.0
        self.checks = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                is_check = self.path == "/health"
                outer.checks += is_check
                time.sleep(outer.delay if is_check else 2.0 if self.path == "/slow" else 0.0)
                answer = outer.body.encode()
                self.send_response(outer.health if is_check else 200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def target(self) -> tuple[str, int]:
        return HOST, int(self._server.server_address[1])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
