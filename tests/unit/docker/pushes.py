"""An engine that pushes as a test says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import docker
import docker.errors
import pytest

from ecs_pipeline.images.docker_engine import DockerEngine
from tests.unit.clocks import RecordingClock

LOGIN = ("AWS", "s3cret")


class Engine:
    """A Docker engine whose pushes end as told, one after another; the last way is repeated."""

    def __init__(self, *ends: Any) -> None:
        self.ends = list(ends)
        self.pushed: list[tuple[str, dict[str, Any]]] = []
        self.closed = 0
        self.images = self

    def push(self, repository: str, **options: Any) -> Iterator[Mapping[str, Any]]:
        self.pushed.append((repository, options))
        end = self.ends.pop(0) if len(self.ends) > 1 else self.ends[0]
        if isinstance(end, Exception):
            raise end
        return iter([end])

    def close(self) -> None:
        self.closed += 1


def push(monkeypatch: pytest.MonkeyPatch, engine: Engine) -> None:
    monkeypatch.setattr(docker, "from_env", lambda **_: engine)
    DockerEngine(RecordingClock()).push("registry:5000/web:v1", LOGIN, lambda _line: None)
