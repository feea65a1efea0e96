"""A steady, bounded client: short requests and some of three seconds, on new and on kept connections."""

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
class Kind:
    """What one client sends: a path, and whether it keeps its connection."""

    path: str
    keeps: bool

    def __str__(self) -> str:
        return f"{'3-second' if self.path == '/slow' else 'short'} on {'kept' if self.keeps else 'new'} connections"


SHORT_KEPT, SHORT_NEW, SLOW_KEPT, SLOW_NEW = (Kind(path, keeps) for path in ("/", "/slow") for keeps in (True, False))
CLIENTS = (SHORT_KEPT, SHORT_NEW, SHORT_KEPT, *[SLOW_KEPT, SLOW_NEW] * 4)
"""Eleven requests at most are under way; eight of them are slow, so that whatever leaves is answering some."""


@dataclass(frozen=True)
class Answer:
    """One request: when it was sent, what came back ('' for none), and what was wrong with it ('' for nothing)."""

    kind: Kind
    at: float
    body: str
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
        for kind in CLIENTS:
            thread = threading.Thread(target=self._client, args=(kind,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        """Let the requests under way end."""
        self._over.set()
        for thread in self._threads:
            thread.join(2 * TIMEOUT)

    @property
    def failures(self) -> list[Answer]:
        """Requests without a good answer: a status other than 2xx, a broken connection, no end in time."""
        return [one for one in self.answers if one.problem]

    def counts(self) -> dict[Kind, tuple[int, int]]:
        """How many requests each kind of client sent, and how many of them failed."""
        sent, failed = (Counter(one.kind for one in some) for some in (self.answers, self.failures))
        return {kind: (sent[kind], failed[kind]) for kind in dict.fromkeys(CLIENTS)}

    def shares(self, since: float, until: float | None = None) -> Counter[str]:
        """How many answers each version gave among those asked since a moment."""
        end = until or time.monotonic()
        return Counter(one.body for one in self.answers if since <= one.at <= end)

    def watch(self, seconds: float) -> Counter[str]:
        """Count the answers of the next seconds."""
        since = time.monotonic()
        self._over.wait(seconds)
        return self.shares(since)

    def _client(self, kind: Kind) -> None:
        parts = urlsplit(self.url)
        connection: http.client.HTTPConnection | None = None
        while not self._over.is_set():
            if connection is None:
                connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=TIMEOUT)
            answer = _ask(connection, kind, f"{parts.path}{kind.path}")
            self.answers.append(answer)
            if not kind.keeps or answer.problem:
                connection.close()
                connection = None
            self._over.wait(PAUSE)


def _ask(connection: http.client.HTTPConnection, kind: Kind, path: str) -> Answer:
    at, asked = time.monotonic(), f"{time.strftime('%H:%M:%S')} {kind}"
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read().decode(errors="replace").strip()
    except (OSError, http.client.HTTPException) as error:
        after = time.monotonic() - at
        return Answer(kind, at, "", f"{asked}: {type(error).__name__}: {error} (after {after:.1f} s)")
    is_good = 200 <= response.status < 300
    return Answer(kind, at, body, "" if is_good else f"{asked}: HTTP {response.status}: {body[:80]}")
