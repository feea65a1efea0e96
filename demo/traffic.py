"""A steady, gentle client: short requests on new and on kept connections, and some that take three seconds."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlsplit

TIMEOUT = 15.0
PAUSE = 0.1
"""Seconds between two requests of one client."""


@dataclass(frozen=True)
class Answer:
    """One request: when it was sent, what came back ('' for none), whether that was a success."""

    at: float
    body: str
    good: bool
    problem: str = ""


@dataclass
class Traffic:
    """Sends requests from its start to its end and keeps all answers; a context manager."""

    url: str
    answers: list[Answer] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Traffic:
        """Start the clients."""
        for path, keep in (("/", True), ("/", False), ("/", True), ("/slow", False)):
            thread = threading.Thread(target=self._client, args=(path, keep), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        """Let the requests under way end."""
        self._over.set()
        for thread in self._threads:
            thread.join(TIMEOUT)

    @property
    def failures(self) -> list[Answer]:
        """Requests without a good answer."""
        return [one for one in self.answers if not one.good]

    def shares(self, since: float, until: float | None = None) -> Counter[str]:
        """How many short answers each version gave among those asked since a moment."""
        end = until or time.monotonic()
        return Counter(one.body for one in self.answers if since <= one.at <= end)

    def watch(self, seconds: float) -> Counter[str]:
        """Count the answers of the next seconds."""
        since = time.monotonic()
        self._over.wait(seconds)
        return self.shares(since)

    def _client(self, path: str, keep: bool) -> None:  # noqa: FBT001
        parts = urlsplit(self.url)
        connection: http.client.HTTPConnection | None = None
        while not self._over.is_set():
            if connection is None:
                connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=TIMEOUT)
            self.answers.append(_ask(connection, f"{parts.path}{path}"))
            if not keep or not self.answers[-1].good:
                connection.close()
                connection = None
            self._over.wait(PAUSE)


def _ask(connection: http.client.HTTPConnection, path: str) -> Answer:
    at, asked = time.monotonic(), f"{time.strftime('%H:%M:%S')} {path}"
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        return Answer(at, "", good=False, problem=f"{asked}: {type(error).__name__}: {error}")
    good = response.status == 200
    return Answer(at, body, good=good, problem="" if good else f"{asked}: HTTP {response.status}: {body[:80]}")
