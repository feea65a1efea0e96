"""A script that stands in for `docker buildx`, and builds with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ecs_pipeline.images.build import Build
from ecs_pipeline.images.docker_engine import DockerEngine
from tests.unit.clocks import RecordingClock

SCRIPT = """#!/bin/sh
if [ "$2" = version ]; then exit {version}; fi
printf '%s\\n' "$@" > "{folder}/arguments"
env > "{folder}/environment"
pwd > "{folder}/place"
cat "$4" > "{folder}/definition"
{builds}
"""
ARGUMENTS = {"TOKEN": "hunter2"}


def stand_in(folder: Path, builds: str = "exit 0", version: int = 0) -> None:
    script = folder / "bin" / "docker"
    script.write_text(SCRIPT.format(version=version, folder=folder, builds=builds))
    script.chmod(0o755)


def build(folder: Path, clock: RecordingClock | None = None, **members: Any) -> list[str]:
    """Build; what was told."""
    told: list[str] = []
    wanted = {"context": folder / "app", "dockerfile": "Dockerfile", "arguments": {}, "platform": "", "tag": "r/web:v1"}
    DockerEngine(clock or RecordingClock()).build(Build(**{**wanted, **members}), told.append)
    return told


def given(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Arguments and environment that the command was called with."""
    pairs = (line.partition("=") for line in (folder / "environment").read_text().splitlines())
    return (folder / "arguments").read_text().splitlines(), {key: value for key, _, value in pairs}


def defined(folder: Path) -> dict[str, Any]:
    """The target that the command was told to build."""
    target: dict[str, Any] = json.loads((folder / "definition").read_text())["target"]["default"]
    return target
