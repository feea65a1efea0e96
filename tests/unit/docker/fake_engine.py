"""An engine on loopback, and the settings and helpers that an agent has."""

from __future__ import annotations

import base64
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ecs_pipeline.images.build import Build
from ecs_pipeline.images.docker_engine import DockerEngine
from tests.unit.clocks import RecordingClock
from tests.unit.http_stub import Answer, HttpStub, Request

JSON = {"Content-Type": "application/json"}
BUILT = b'{"stream": "Successfully built 0123\\n"}\n'
SECRET = base64.b64encode(b"ann:hunter2").decode()


class FakeEngine:
    """An engine on loopback that builds and pushes whatever it is given."""

    def __init__(self) -> None:
        self.http = HttpStub("")
        self.said = BUILT

    def answer(self, request: Request) -> Answer:
        """As the engine's API does."""
        if "/build" in request.path or "/push" in request.path:
            return Answer(200, self.said, JSON)
        return Answer(200, b'{"ApiVersion": "1.41"}', JSON)

    @property
    def built(self) -> Request:
        """The request to build."""
        (found,) = [request for request in self.http.requests if "/build" in request.path]
        return found

    @property
    def files(self) -> set[str]:
        """What the build was given."""
        with tarfile.open(fileobj=io.BytesIO(self.built.body)) as packed:
            return set(packed.getnames())

    @property
    def logins(self) -> dict[str, Any]:
        """The logins that the build was given."""
        header = self.built.headers.get("x-registry-config", "e30=")
        found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(header))
        return {key: value for key, value in found.items() if value}


def configured(tmp_path: Path, text: str) -> None:
    (tmp_path / "home" / ".docker").mkdir(parents=True, exist_ok=True)
    (tmp_path / "home" / ".docker" / "config.json").write_text(text)


def helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, script: str) -> None:
    folder = tmp_path / "helpers"
    folder.mkdir(exist_ok=True)
    (folder / f"docker-credential-{name}").write_text(f"#!/bin/sh\n{script}\n")
    (folder / f"docker-credential-{name}").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def build(app: Path, dockerfile_name: str = "Dockerfile", **arguments: str) -> list[str]:
    told: list[str] = []
    wanted = Build(app, dockerfile_name, arguments, "linux/amd64", "r/web:v1")
    DockerEngine(RecordingClock()).build(wanted, told.append)
    return told


def refusing(monkeypatch: pytest.MonkeyPatch, place: str, error: OSError) -> None:
    """Root may read everything: what an ordinary user is told when a file may not be read."""

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(place, refuse, raising=False)


def context(tmp_path: Path, name: str, meta: str) -> None:
    from docker.context.config import get_context_id

    folder = tmp_path / "home" / ".docker" / "contexts" / "meta" / get_context_id(name)
    folder.mkdir(parents=True)
    (folder / "meta.json").write_text(meta)


def named(host: str) -> str:
    endpoint = {"Host": host, "SkipTLSVerify": False}
    return json.dumps({"Name": "other", "Metadata": {}, "Endpoints": {"docker": endpoint}})
