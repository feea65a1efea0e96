"""A server on loopback that says the bytes that a test wants, whole or drop by drop, HTTP or not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

DROP = 0.02
DROPS = 1500
"""Half a minute of drops: who waits for the last one has no deadline."""


@dataclass
class RawServer:
    """The running server; `sent` counts the pieces that somebody took."""

    port: int = 0
    sent: int = 0
    left: threading.Event = field(default_factory=threading.Event)

    @property
    def host(self) -> str:
        """HOST:PORT."""
        return f"127.0.0.1:{self.port}"


@contextmanager
def raw_server(said: bytes, drops: Sequence[bytes] = ()) -> Iterator[RawServer]:
    """Say `said` to everybody who connects, then `drops`, one after the other, until the client has gone."""
    server, over = RawServer(), threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.recv(1)
            connection.sendall(said)
            for drop in drops:
                if over.wait(DROP):
                    break
                connection.sendall(drop)
                server.sent += 1
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                continue
        server.left.set()

    def listen(listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server.port = listening.getsockname()[1]
        threading.Thread(target=listen, args=(listening,), daemon=True).start()
        try:
            yield server
        finally:
            over.set()
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
