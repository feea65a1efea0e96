"""Builds and pushes images; the only place that talks to a Docker engine.

BuildKit through `docker buildx` where that is installed, else the engine's own builder. The image is always pushed by
the SDK, which takes the registry's password as an argument: `docker login` would write it into a file.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ecs_pipeline.clock import Clock
from ecs_pipeline.errors import Trouble
from ecs_pipeline.retry import Transient, call

Told = Callable[[str], None]

PUSH_ATTEMPTS = 4
LAST_LINES = 30
SHORTEST_SECRET = 6
"""Characters; shorter values would be found in any line."""
ENDS_WITHIN = 0.5
"""Seconds that a builder has to end by itself when the stage was interrupted."""


@dataclass(frozen=True)
class Build:
    """What is built: paths as they are on this machine."""

    context: Path
    dockerfile: str
    arguments: Mapping[str, str | None]
    platform: str
    tag: str
    labels: Mapping[str, str] = field(default_factory=dict)


class DockerEngine:
    """The engine that DOCKER_HOST or the default socket leads to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def has_dockerfile(self, context: Path, dockerfile: str) -> bool:
        """Whether there is something to build."""
        return (context / dockerfile).is_file()

    def build(self, build: Build, told: Told) -> None:
        """Build an image and tag it. Raises Trouble with the builder's last lines."""
        dockerfile = build.context / build.dockerfile
        if not self.has_dockerfile(build.context, build.dockerfile):
            raise Trouble(f"no Dockerfile {dockerfile}", cure="check image.context and image.dockerfile")
        if has_buildx():
            told("building with docker buildx")
            self._build_with_buildx(build, dockerfile, told)
        else:
            told("building with the engine's builder")
            self._build_with_engine(build, told)

    def push(self, tag: str, login: tuple[str, str], told: Told) -> None:
        """Push a tag; layers that the registry has are not sent again. Raises Trouble."""
        repository, _, name = tag.rpartition(":")

        def attempt() -> None:
            auth = {"username": login[0], "password": login[1]}
            with self._engine() as engine:
                follow_push(engine.images.push(repository, tag=name, auth_config=auth, stream=True, decode=True), told)

        call(attempt, self._clock, PUSH_ATTEMPTS)

    def _build_with_engine(self, build: Build, told: Told) -> None:
        lines: list[str] = []
        hide = _hiding(build)
        with self._engine("correct the build") as engine:
            stream = engine.api.build(
                path=str(build.context),
                dockerfile=build.dockerfile,
                tag=build.tag,
                buildargs=_arguments(build),
                platform=build.platform or None,
                labels=dict(build.labels),
                rm=True,
                forcerm=True,
                decode=True,
            )
            for event in stream:
                self._clock.check()
                if event.get("error"):
                    raise _build_failed(hide(str(event["error"])), lines)
                for line in str(event.get("stream", "")).splitlines():
                    _tell(hide(line), lines, told)

    def _build_with_buildx(self, build: Build, dockerfile: Path, told: Told) -> None:
        lines: list[str] = []
        hide = _hiding(build)
        with subprocess.Popen(
            _buildx_command(build, dockerfile),
            env={**os.environ, **_arguments(build)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                for line in process.stdout or ():
                    self._clock.check()
                    _tell(hide(line.rstrip()), lines, told)
            except BaseException:
                _end(process)
                raise
        if process.returncode:
            raise _build_failed(f"docker buildx build exited {process.returncode}", lines)

    @contextmanager
    def _engine(self, cure: str = "") -> Iterator[Any]:
        """A client of the engine; its errors become ours, without the URL: a build's has its arguments in it."""
        import docker
        import docker.errors
        import requests

        try:
            engine = docker.from_env(timeout=600)
        except docker.errors.DockerException as error:
            raise _no_engine(error) from None
        try:
            yield engine
        except docker.errors.DockerException as error:
            why = _one_line(getattr(error, "explanation", None) or error)
            raise Trouble(f"Docker: {why}", cure=cure) from None
        except (requests.RequestException, OSError) as error:
            raise _no_engine(error) from None
        finally:
            engine.close()


def has_buildx() -> bool:
    """Whether `docker buildx` can be called."""
    docker = shutil.which("docker")
    if docker is None:
        return False
    asked = subprocess.run([docker, "buildx", "version"], capture_output=True, check=False)
    return asked.returncode == 0


def _buildx_command(build: Build, dockerfile: Path) -> list[str]:
    """Arguments are named only: their values go by the environment, for argument lists are public."""
    command = ["docker", "buildx", "build", "--load", "--provenance=false", "--progress=plain"]
    command += ["--file", str(dockerfile), "--tag", build.tag]
    command += ["--platform", build.platform] if build.platform else []
    for key, value in build.labels.items():
        command += ["--label", f"{key}={value}"]
    for key in _arguments(build):
        command += ["--build-arg", key]
    return [*command, str(build.context)]


def _end(process: subprocess.Popen[str]) -> None:
    """End a builder and its plugin's process; buildx told to end lets the step that it runs come to its own end."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDS_WITHIN)


def follow_push(events: Iterator[Mapping[str, Any]], told: Told) -> None:
    """Read the engine's report of a push: layers done are told, an error is raised."""
    done: dict[str, str] = {}
    for event in events:
        if event.get("error"):
            text = str(event["error"])
            failure = Trouble(f"push: {text}", cure="check the repository and the permissions of ECR's push")
            final = any(word in text.lower() for word in ("denied", "unauthorized", "not found", "immutable"))
            raise failure if final else Transient(failure)
        status, layer = str(event.get("status", "")), str(event.get("id", ""))
        if layer and status in ("Pushed", "Layer already exists", "Mounted from") and layer not in done:
            done[layer] = status
            told(f"layer {layer}: {status.lower()}, {len(done)} done")


def _arguments(build: Build) -> dict[str, str]:
    """Values of the build's arguments; null takes the environment's, and without one the Dockerfile's default."""
    found = {key: os.environ.get(key) if value is None else value for key, value in build.arguments.items()}
    return {key: value for key, value in found.items() if value is not None}


def _hiding(build: Build) -> Callable[[str], str]:
    """Takes the values that come from the environment out of a line: a Dockerfile may print them."""
    given = [os.environ.get(key, "") for key, value in build.arguments.items() if value is None]
    hidden = [one for one in given if len(one) >= SHORTEST_SECRET]

    def hide(line: str) -> str:
        for one in hidden:
            line = line.replace(one, "***")
        return line

    return hide


def _one_line(error: object) -> str:
    """What is wrong, without the query of a URL."""
    return re.sub(r"\?[^\s\"')]+", "", " ".join(str(error).split()))


def _tell(line: str, lines: list[str], told: Told) -> None:
    """Tell a builder's line; what the engine's own builder says of its intermediate images helps nobody."""
    if line.strip() and not line.startswith((" --->", "Removing intermediate container")):
        lines.append(line)
        told(line)


def _build_failed(why: str, lines: list[str]) -> Trouble:
    return Trouble(f"the image could not be built: {why}", cure="correct the build", evidence=lines[-LAST_LINES:])


def _no_engine(error: Exception) -> Trouble:
    return Trouble(
        f"no Docker engine answers: {_one_line(error)}",
        cure="start one, point DOCKER_HOST at one, or give --image",
    )
