"""Contexts and settings of an agent's Docker: which engine builds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ecs_pipeline.documents import yaml
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.images import docker_config
from ecs_pipeline.images.docker_engine import DockerEngine
from tests.unit.clocks import RecordingClock
from tests.unit.docker.fake_engine import FakeEngine, build, configured, context, named
from tests.unit.docker.pushes import LOGIN, Engine, push


@pytest.mark.parametrize("by", ["variable", "use"])
def test_the_engine_of_the_context_in_use_builds(
    engine: FakeEngine, app: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.delenv("DOCKER_HOST")
    configured(tmp_path, '{"currentContext": "other"}' if by == "use" else '{"currentContext": "gone"}')
    if by == "variable":
        monkeypatch.setenv("DOCKER_CONTEXT", "other")
    context(tmp_path, "other", named(engine.http.url.replace("http", "tcp")))
    build(app)
    assert "Dockerfile" in engine.files


@pytest.mark.parametrize(
    ("meta", "why"),
    [
        (None, "there is no Docker context other"),
        ("{", "Docker context other cannot be read: "),
        ('{"Name": "other"}', "Docker context other cannot be read: "),
        (named("ssh://root@host"), "Docker context other leads to an engine over ssh, which is not supported"),
    ],
)
def test_a_context_that_leads_nowhere_is_bad_input(
    engine: FakeEngine, app: Path, monkeypatch: pytest.MonkeyPatch, meta: str | None, why: str
) -> None:
    tmp_path = app.parent
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONTEXT", "other")
    configured(tmp_path, "{}")
    if meta is not None:
        context(tmp_path, "other", meta)
    for act in (
        lambda: build(app),
        lambda: DockerEngine(RecordingClock()).push("r:5000/web:v1", LOGIN, lambda _line: None),
    ):
        with pytest.raises(InvalidInput) as caught:
            act()
        assert str(caught.value).startswith(why)
    assert engine.http.requests == []


def test_an_engine_over_ssh_is_refused_in_a_line(app: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "ssh://root@host")
    with pytest.raises(InvalidInput, match=r"^DOCKER_HOST leads to an engine over ssh, .*; forward its socket"):
        build(app)


def test_dockers_settings_are_where_they_were_afterwards(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    push(monkeypatch, Engine({"status": "v1: digest"}))
    assert os.environ["DOCKER_CONFIG"] == str(tmp_path)
    monkeypatch.delenv("DOCKER_CONFIG")
    push(monkeypatch, Engine({"status": "v1: digest"}))
    assert "DOCKER_CONFIG" not in os.environ


def test_docker_settings_that_are_a_pipe_hold_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml, "PIPE_WITHIN", 0.1)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    os.mkfifo(tmp_path / "config.json")
    assert docker_config.read() == {}
