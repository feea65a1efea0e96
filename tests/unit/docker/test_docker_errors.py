"""A strange engine, and whatever its library raises: trouble or bad input in one line."""

from __future__ import annotations

import subprocess
import traceback
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
import urllib3

from ecs_pipeline.errors import PipelineError, Trouble
from ecs_pipeline.images.docker_engine import PUSH_ATTEMPTS, DockerEngine
from tests.unit.clocks import RecordingClock
from tests.unit.docker.fake_engine import FakeEngine, build, helper
from tests.unit.docker.pushes import LOGIN, Engine, push


@pytest.mark.parametrize(
    "said",
    [b"\xff\xfe", b"[1]\n", b'"text"\n', b"<html>", b'{"stream": 5}\n', b'{"error": {"a": 1}}\n', b"{", b"null\n"],
)
def test_an_engine_that_says_something_else_is_an_error_of_ours(engine: FakeEngine, app: Path, said: bytes) -> None:
    engine.said = said
    try:
        build(app)
    except PipelineError as error:
        assert "\n" not in str(error)  # noqa: PT017 - no error is fine as well
    try:
        DockerEngine(RecordingClock()).push("registry:5000/web:v1", LOGIN, lambda _line: None)
    except PipelineError as error:
        assert "s3cret" not in "".join(traceback.format_exception(error))  # noqa: PT017


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad"),
        KeyError("message"),
        TypeError("bytes"),
        RuntimeError("stream"),
        AttributeError("get"),
        docker.errors.StreamParseError("x"),
        UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
    ],
)
def test_any_other_error_of_the_library_is_trouble(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    with pytest.raises(Trouble, match=r"^Docker: its answer cannot be read: "):
        push(monkeypatch, Engine(error))


@pytest.mark.parametrize(
    "error",
    [
        requests.ConnectionError("reset"),
        requests.exceptions.ChunkedEncodingError("cut"),
        requests.ReadTimeout("slow"),
        urllib3.exceptions.ProtocolError("broken"),
        urllib3.exceptions.ReadTimeoutError(None, "", "slow"),  # type: ignore[arg-type]
    ],
)
def test_a_push_whose_connection_ends_is_made_again(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    engine = Engine(error, {"status": "v1: digest"})
    push(monkeypatch, engine)
    assert len(engine.pushed) == 2
    engine = Engine(error)
    with pytest.raises(Trouble, match=r"^no Docker engine answers: "):
        push(monkeypatch, engine)
    assert len(engine.pushed) == PUSH_ATTEMPTS


def test_a_docker_that_cannot_be_started_is_trouble(
    engine: FakeEngine, app: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper(app.parent, monkeypatch, "x", "cat >/dev/null; exit 0")
    (app.parent / "helpers" / "docker-credential-x").rename(app.parent / "helpers" / "docker")
    real = subprocess.Popen

    def refuse(command: Any, **settings: Any) -> Any:
        if "bake" in command:
            raise PermissionError(13, "Permission denied")
        return real(command, **settings)

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(Trouble, match=r"^docker cannot be started: Permission denied; see what"):
        build(app)


def test_a_client_that_cannot_be_made_is_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise ValueError("no pair")

    monkeypatch.setattr(docker, "from_env", broken)
    with pytest.raises(Trouble, match=r"^no Docker engine answers: no pair"):
        DockerEngine(RecordingClock()).push("r:5000/web:v1", LOGIN, lambda _line: None)
