"""Pushing an image: what the engine says, and when it is tried again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import docker
import docker.errors
import pytest
import requests

from ecs_pipeline.errors import Trouble
from ecs_pipeline.images.docker_engine import PUSH_ATTEMPTS, follow_push
from ecs_pipeline.timing.retry import Transient
from tests.unit.docker.pushes import Engine, push


def followed(*events: Mapping[str, Any]) -> list[str]:
    told: list[str] = []
    follow_push(iter(events), told.append)
    return told


def test_each_layer_is_told_once_when_it_is_there() -> None:
    told = followed(
        {"status": "The push refers to repository [r/web]"},
        {"status": "Preparing", "id": "a1"},
        {"status": "Pushing", "id": "a1", "progressDetail": {"current": 1, "total": 2}},
        {"status": "Pushed", "id": "a1"},
        {"status": "Pushed", "id": "a1"},
        {"status": "Layer already exists", "id": "b2"},
        {"status": "v1: digest: sha256:1 size: 2"},
        {"progressDetail": {}, "aux": {"Tag": "v1"}},
    )
    assert told == ["layer a1: pushed, 1 done", "layer b2: layer already exists, 2 done"]


@pytest.mark.parametrize(
    "text",
    [
        "denied: requested access to the resource is denied",
        "unauthorized: authentication required",
        "name unknown: The repository with name 'web' does not exist: not found",
        "tag invalid: The image tag 'v1' already exists and cannot be overwritten because the tag is immutable.",
    ],
)
def test_an_error_that_another_push_does_not_overcome_is_final(text: str) -> None:
    with pytest.raises(Trouble, match=r"^push: .*; check the repository and the permissions of ECR's push") as caught:
        followed({"status": "Pushed", "id": "a1"}, {"error": text, "errorDetail": {"message": text}})
    assert text in str(caught.value)


@pytest.mark.parametrize("text", ["EOF", "received unexpected HTTP status: 503 Service Unavailable", "i/o timeout"])
def test_any_other_error_may_pass(text: str) -> None:
    with pytest.raises(Transient) as caught:
        followed({"error": text})
    assert str(caught.value.cause).startswith(f"push: {text}")


def test_the_password_goes_to_the_engine_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine({"status": "v1: digest"})
    push(monkeypatch, engine)
    ((repository, options),) = engine.pushed
    assert (repository, options["tag"]) == ("registry:5000/web", "v1")
    assert options["auth_config"] == {"username": "AWS", "password": "s3cret"}
    assert engine.closed == 1


def test_a_push_that_broke_off_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine({"error": "EOF"}, {"error": "EOF"}, {"status": "v1: digest"})
    push(monkeypatch, engine)
    assert (len(engine.pushed), engine.closed) == (3, 3)


def test_a_push_that_goes_on_breaking_off_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine({"error": "EOF"})
    with pytest.raises(Trouble, match=r"^push: EOF; "):
        push(monkeypatch, engine)
    assert len(engine.pushed) == PUSH_ATTEMPTS


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (docker.errors.APIError("server\nerror"), "Docker: server error"),
        (requests.ConnectionError("refused"), "no Docker engine answers: refused; start one"),
        (OSError("no such file"), "no Docker engine answers: no such file"),
    ],
)
def test_trouble_with_the_engine_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    with pytest.raises(Trouble, match=f"^{words}") as caught:
        push(monkeypatch, Engine(error))
    assert "s3cret" not in str(caught.value)
