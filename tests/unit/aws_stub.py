"""AWS on loopback, as far as wires go: each operation answers what a test lined up; the last answer is repeated."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import botocore.session
import pytest
from botocore.loaders import Loader, create_loader

from ecs_pipeline.aws.session import AwsSession
from ecs_pipeline.timing.clock import Clock
from tests.unit.http_stub import Answer, HttpStub, Request, http_stub

REGION = "ap-northeast-1"
_MODELS: dict[Any, Any] = {}
"""botocore's models of AWS' services, which every session would read anew; that takes longer than most of the tests."""


@dataclass
class AwsStub:
    """Answers by operation; an operation that no test spoke of answers `{}`."""

    http: HttpStub = field(default_factory=lambda: HttpStub(""))
    _answers: dict[str, list[Answer]] = field(default_factory=dict)

    def on(self, operation: str, *answers: Answer) -> None:
        """Line up what an operation answers."""
        self._answers[operation] = list(answers)

    def asked(self, operation: str) -> list[Request]:
        """The requests for an operation."""
        return [request for request in self.http.requests if operation_of(request) == operation]

    def answer(self, request: Request) -> Answer:
        """The next answer for a request."""
        waiting = self._answers.get(operation_of(request), [ok({})])
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]


def operation_of(request: Request) -> str:
    """The operation's name, in AWS' JSON protocols (a header) or its query protocol (the body)."""
    target = request.headers.get("x-amz-target", "")
    return target.rpartition(".")[2] or parse_qs(request.body.decode()).get("Action", [""])[0]


def ok(answer: Mapping[str, Any]) -> Answer:
    """A JSON answer."""
    return Answer(200, json.dumps(answer).encode(), {"Content-Type": "application/x-amz-json-1.1"})


def refused(code: str, message: str = "no", status: int = 400, **members: Any) -> Answer:
    """A JSON answer that is an error."""
    body = json.dumps({"__type": code, "message": message, **members}).encode()
    return Answer(status, body, {"Content-Type": "application/x-amz-json-1.1"})


@contextmanager
def aws_stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsStub]:
    """AWS that the environment points to, with credentials, and nothing else of this machine's."""
    stub = AwsStub()
    with http_stub(stub.answer) as stub.http:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        settings = {
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "of-no-use",
            "AWS_ENDPOINT_URL": stub.http.url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(botocore.session, "create_loader", _loader)
        yield stub


def _loader(search_path: str | None = None) -> Loader:
    """botocore's loader, which shares what it has read with those of other sessions."""
    loader = create_loader(search_path)
    loader._cache = _MODELS
    return loader


def session(clock: Clock, role_arn: str = "") -> AwsSession:
    """A session in some region."""
    return AwsSession(clock, REGION, role_arn)
