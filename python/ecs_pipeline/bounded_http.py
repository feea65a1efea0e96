"""HTTP requests to servers that nobody vouches for: the whole answer has one deadline and a bounded body.

The one place that turns what requests and urllib3 raise into NoAnswer. Used for a canary's answers and for registries.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import requests
import requests.adapters
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from ecs_pipeline.text import message

LATE, NO_HOST, NO_CONNECTION, TLS, PROXY_LOGIN, UNREADABLE = (
    "late",
    "no host",
    "no connection",
    "TLS",
    "proxy login",
    "unreadable",
)
"""Why there is no answer. LATE and NO_CONNECTION may pass."""

NETWORK = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError)
CHUNK = 16 * 1024
DEEPEST_CAUSE, MOST_SAID = 20, 200


class NoAnswer(Exception):
    """There is no answer: `kind` is one of those above, the text says it in a few words."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind

    @property
    def may_pass(self) -> bool:
        """Whether another attempt may get one."""
        return self.kind in (LATE, NO_CONNECTION)


@dataclass(frozen=True)
class Ask:
    """One request. `seconds` are for the whole answer, `most` bytes of the body are read.

    `follow` says whether a redirect to a URL is followed; by default none is. `from_environment`: proxies, .netrc and
    certificates are taken from where other programs find them.
    """

    url: str
    seconds: float
    most: int
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: tuple[str, str] | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    verified: bool = True
    from_environment: bool = False
    follow: Callable[[str], bool] = lambda _url: False


@dataclass(frozen=True)
class Received:
    """An answer, with what was read of its body (`cut`: there was more), and the seconds until its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool
    charset: str
    seconds: float


def ask(request: Ask) -> Received:
    """Send a request on a connection of its own. Raises NoAnswer, and nothing else, when there is no whole answer."""
    begun = time.monotonic()
    with _deadline(request.seconds) as deadline:
        try:
            answer, body, cut = _send(request, deadline)
        except Exception as error:
            if deadline.over:
                raise _late(request) from error
            raise _no_answer(error, request) from error
        if deadline.over:  # a body without a length ends like a whole one
            raise _late(request)
    return Received(answer.status_code, answer.headers, body, cut, answer.encoding or "", time.monotonic() - begun)


def _send(request: Ask, deadline: _Deadline) -> tuple[requests.Response, bytes, bool]:
    with _Session(request.follow) as session:
        session.trust_env = request.from_environment
        adapter = _Adapter(deadline)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        if not request.verified:
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        answer = session.request(
            request.method,
            request.url,
            headers={"Connection": "close", **request.headers},
            params=dict(request.params),
            auth=request.auth,
            timeout=request.seconds,
            stream=True,
            verify=request.verified,
        )
        body = b""
        for part in answer.iter_content(CHUNK):
            body += part
            if len(body) > request.most:
                return answer, body[: request.most], True
        return answer, body, False


class _Session(requests.Session):
    """Follows the redirects that it is allowed to follow; any other is the answer itself."""

    def __init__(self, follow: Callable[[str], bool]) -> None:
        super().__init__()
        self._follow = follow

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where an answer sends the request on to; None when that is not followed."""
        target: str | None = super().get_redirect_target(resp)
        url = requests.compat.urljoin(resp.url, target) if target else ""
        return target if url and self._follow(url) else None


class _Deadline:
    """Shuts every connection down when the time is over: whatever is being read then ends, drip by drip or not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self.over = False

    def opened(self, connection: socket.socket) -> None:
        """A connection is there, before TLS. A duplicate is kept: TLS takes the socket itself away."""
        with self._lock:
            self._connections.append(socket.socket(fileno=os.dup(connection.fileno())))
        if self.over:
            self.end()

    def end(self) -> None:
        """The time is over."""
        with self._lock:
            self.over = True
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Forget the connections."""
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()


@contextmanager
def _deadline(seconds: float) -> Iterator[_Deadline]:
    deadline = _Deadline()
    timer = threading.Timer(seconds, deadline.end)
    timer.daemon = True
    timer.start()
    try:
        yield deadline
    finally:
        timer.cancel()
        deadline.close()


class _Adapter(requests.adapters.HTTPAdapter):
    """Tells the deadline of each connection, a proxy's too."""

    def __init__(self, deadline: _Deadline) -> None:
        self._pools = _pool_classes(deadline.opened)
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **settings: Any) -> None:
        """As requests does it, with connections of ours."""
        super().init_poolmanager(*arguments, **settings)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *arguments: Any, **settings: Any) -> Any:
        """As requests does it, with connections of ours."""
        manager = super().proxy_manager_for(*arguments, **settings)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pool_classes(opened: Callable[[socket.socket], None]) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            opened(connection)
            return connection

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            opened(connection)
            return connection

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _late(request: Ask) -> NoAnswer:
    return NoAnswer(LATE, f"no answer within {request.seconds:g}s")


def _no_answer(error: Exception, request: Ask) -> NoAnswer:
    """By what happened, not by the class alone: requests calls much a ConnectionError."""
    why = _inner(error)
    if isinstance(error, requests.Timeout | TimeoutError | urllib3.exceptions.TimeoutError):
        return _late(request)
    if "NameResolutionError" in str(error):
        return NoAnswer(NO_HOST, f"no such host: {why}")
    if isinstance(error, requests.exceptions.SSLError):
        return NoAnswer(TLS, f"TLS: {why}")
    if isinstance(error, requests.exceptions.ProxyError) and " 407 " in f" {why} ":
        return NoAnswer(PROXY_LOGIN, f"the proxy wants a login: {why}")
    if isinstance(error, NETWORK) or (isinstance(error, OSError) and not isinstance(error, requests.RequestException)):
        return NoAnswer(NO_CONNECTION, f"no connection: {why}")
    return NoAnswer(UNREADABLE, f"no answer: {why}")


def _inner(error: BaseException) -> str:
    """The cause that says most, in a line: requests wraps urllib3, which wraps the system's error."""
    text = str(error)
    for _ in range(DEEPEST_CAUSE):
        inner = [getattr(error, "reason", None), *error.args, error.__cause__]
        cause = next((part for part in inner if isinstance(part, Exception)), None)
        if cause is None:
            break
        error, text = cause, str(cause) or text
    return message(str(getattr(error, "strerror", None) or text))[:MOST_SAID]
