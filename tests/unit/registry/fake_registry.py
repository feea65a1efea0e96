"""An image registry on loopback, and its ways to want credentials."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.images.references import parse
from ecs_pipeline.images.registry import digest_of
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import Answer, HttpStub, Request

DIGEST = "sha256:" + "0a" * 32
FOUND = Answer(200, b"", {"Docker-Content-Digest": DIGEST})
BASIC = "Basic " + base64.b64encode(b"ann:secret").decode()
Handle = Callable[[Request], Answer]


class Registry:
    """A registry whose answers a test sets."""

    def __init__(self) -> None:
        self.handle: Handle = lambda _request: FOUND
        self.http = HttpStub("")

    def answer(self, request: Request) -> Answer:
        """As the test wants it by now."""
        return self.handle(request)

    def digest(self, clock: RecordingClock | None = None) -> str:
        """Ask for web:v1."""
        return digest_of(parse(f"{self.http.host}/team/web:v1"), clock or RecordingClock())

    def refused(self) -> str:
        """What is said when it cannot be had."""
        with pytest.raises(InvalidInput) as caught:
            self.digest()
        assert caught.value.exit_code == 2
        return str(caught.value)


def bearer(realm: str) -> Handle:
    """A registry that wants a token, and hands it out to who logs in."""

    def handle(request: Request) -> Answer:
        if request.path.startswith("/token"):
            good = request.headers.get("authorization") == BASIC
            return Answer(200, b'{"token": "of-an-hour"}') if good else Answer(401)
        if request.headers.get("authorization") == "Bearer of-an-hour":
            return FOUND
        challenge = f'Bearer realm="{realm}",service="registry",scope="repository:team/web:pull"'
        return Answer(401, b"", {"WWW-Authenticate": challenge})

    return handle
