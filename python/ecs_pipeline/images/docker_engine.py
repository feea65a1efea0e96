"""Builds and pushes images; the only place that talks to a Docker engine.

BuildKit through `docker buildx` where that is installed, else the engine's own builder. The image is always pushed by
the SDK, which takes the registry's password as an argument: `docker login` would write it into a file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ecs_pipeline import text
from ecs_pipeline.documents import yaml
from ecs_pipeline.errors import PipelineError, Trouble
from ecs_pipeline.images import build_context, buildx, docker_config, dockerfile, references
from ecs_pipeline.images.build import Build, refuse_without_buildx, refuse_without_secrets
from ecs_pipeline.images.build_arguments import hiding, values_of
from ecs_pipeline.images.buildx import has_buildx
from ecs_pipeline.timing.clock import Clock
from ecs_pipeline.timing.retry import Transient, call

Told = Callable[[str], None]

PUSH_ATTEMPTS = 4
LAST_LINES = 30
ENGINE_WITHIN = 600
"""Seconds that the engine may be silent; packing and unpacking of large images takes long."""


class DockerEngine:
    """The engine that DOCKER_HOST, the docker context in use or the default socket leads to."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def has_dockerfile(self, context: Path, dockerfile: str) -> bool:
        """Whether there is something to build."""
        return (context / dockerfile).is_file()

    def has_buildx(self) -> bool:
        """Whether BuildKit builds here, through `docker buildx`."""
        return has_buildx()

    def problem(self) -> str:
        """Why no engine answers here, '' when one does."""
        try:
            with self._engine() as engine:
                engine.ping()
        except PipelineError as error:
            return error.message
        return ""

    def build(self, build: Build, told: Told) -> None:
        """Build an image and tag it. Raises Trouble with the builder's last lines, InvalidInput for the context."""
        path = build.context / build.dockerfile
        if not self.has_dockerfile(build.context, build.dockerfile):
            raise Trouble(f"no Dockerfile {path}", cure="check image.context and image.dockerfile")
        build_context.refuse_outside(path, build.context)
        docker_config.engine_of_context()
        build_context.refuse_unreadable(build.context, build.dockerfile)
        refuse_without_secrets(build)
        if has_buildx():
            told("building with docker buildx")
            self._build_with_buildx(build, told)
        else:
            refuse_without_buildx(build)
            told("building with the engine's builder")
            self._build_with_engine(build, told)

    def push(self, tag: str, login: tuple[str, str], told: Told) -> None:
        """Push a tag; layers that the registry has are not sent again. Raises Trouble."""
        repository, _, name = tag.rpartition(":")
        auth = {"username": login[0], "password": login[1]}

        def attempt() -> None:
            with self._engine() as engine:
                try:
                    events = engine.images.push(repository, tag=name, auth_config=auth, stream=True, decode=True)
                    follow_push(events, told)
                except Exception as error:
                    if _is_network(error):
                        raise Transient(_no_engine(error)) from None
                    raise

        call(attempt, self._clock, PUSH_ATTEMPTS)

    def _build_with_engine(self, build: Build, told: Told) -> None:
        lines: list[str] = []
        hide = hiding(build.arguments)
        values = values_of(build.arguments)
        logins = self._logins(build, values, told)
        with (
            build_context.archive(build.context, build.dockerfile) as (packed, inside),
            self._engine("correct the build") as engine,
        ):
            for registry, login in logins.items():
                engine.api._auth_configs.add_auth(registry, login)
            stream = engine.api.build(
                fileobj=packed,
                custom_context=True,
                dockerfile=inside,
                tag=build.tag,
                buildargs=values,
                platform=build.platform or None,
                labels=dict(build.labels),
                target=build.target or None,
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

    def _build_with_buildx(self, build: Build, told: Told) -> None:
        lines: list[str] = []
        hide = hiding(build.arguments, build.secrets.values())

        def heard(line: str) -> None:
            self._clock.check()
            _tell(hide(line), lines, told)

        code = buildx.run(build, heard)
        if code:
            raise _build_failed(f"docker buildx exited {code}", lines)

    def _logins(self, build: Build, values: Mapping[str, str], told: Told) -> dict[str, dict[str, str]]:
        """The logins for what the Dockerfile is built from; no other one is asked for."""
        source = yaml.read_bytes(build.context / build.dockerfile, build_context.READABLE).decode(errors="replace")
        found = {}
        for registry in dockerfile.registries(source, values):
            key = docker_config.HUB_KEY if registry == references.DOCKER_HUB else registry
            try:
                login = docker_config.login(registry)
            except docker_config.NoLogin as why:
                told(f"{why}: images of {registry} are asked for without a login")
                continue
            found.update({key: login.for_engine(key)} if login else {})
        return found

    @contextmanager
    def _engine(self, cure: str = "") -> Iterator[Any]:
        """A client of the engine; whatever docker-py raises becomes an error of ours here.

        Without the URL: a build's has its arguments in it.
        """
        import docker

        settings = docker_config.engine_of_context()
        with docker_config.without_logins():
            try:
                if settings:
                    engine: Any = docker.DockerClient(timeout=ENGINE_WITHIN, **settings)
                else:
                    engine = docker.from_env(timeout=ENGINE_WITHIN, use_context=False)
            except Exception as error:  # noqa: BLE001 - the one place where they become ours
                raise _no_engine(error) from None
            try:
                yield engine
            except (PipelineError, Transient):
                raise
            except Exception as error:  # noqa: BLE001 - the same
                raise _judged(error, cure) from None
            finally:
                engine.close()


def follow_push(events: Iterator[Mapping[str, Any]], told: Told) -> None:
    """Read the engine's report of a push: layers done are told, an error is raised."""
    done: dict[str, str] = {}
    for event in events:
        if event.get("error"):
            said = str(event["error"])
            failure = Trouble(f"push: {said}", cure="check the repository and the permissions of ECR's push")
            final = any(word in said.lower() for word in ("denied", "unauthorized", "not found", "immutable"))
            raise failure if final else Transient(failure)
        status, layer = str(event.get("status", "")), str(event.get("id", ""))
        if layer and status in ("Pushed", "Layer already exists", "Mounted from") and layer not in done:
            done[layer] = status
            told(f"layer {layer}: {status.lower()}, {len(done)} done")


def _judged(error: Exception, cure: str) -> Trouble:
    """What docker-py, requests or urllib3 raised while the engine worked, by what happened."""
    import docker.errors

    if isinstance(error, docker.errors.DockerException):
        return Trouble(f"Docker: {_one_line(getattr(error, 'explanation', None) or error)}", cure=cure)
    if isinstance(error, OSError) or _is_network(error):
        return _no_engine(error)
    return Trouble(f"Docker: its answer cannot be read: {type(error).__name__}: {_one_line(error)}", cure=cure)


def _is_network(error: Exception) -> bool:
    """Whether the connection ended, or was never there: that may pass."""
    import docker.errors
    import requests
    import urllib3

    if isinstance(error, docker.errors.DockerException):
        return False
    network = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)
    return isinstance(error, (*network, urllib3.exceptions.HTTPError))


def _one_line(error: object) -> str:
    """What is wrong, without the query of a URL."""
    return text.cut(re.sub(r"\?[^\s\"')]+", "", " ".join(str(error).split())))


def _tell(line: str, lines: list[str], told: Told) -> None:
    """Tell a builder's line; what the engine's own builder says of its intermediate images helps nobody."""
    if line.strip() and not line.startswith((" --->", "Removing intermediate container")):
        shown = text.cut(line, text.LONGEST_RAW)
        lines[:] = [*lines[1 - LAST_LINES :], shown]
        told(shown)


def _build_failed(why: str, lines: list[str]) -> Trouble:
    return Trouble(f"the image could not be built: {why}", cure="correct the build", evidence=lines)


def _no_engine(error: Exception) -> Trouble:
    return Trouble(
        f"no Docker engine answers: {_one_line(error)}",
        cure="start one, point DOCKER_HOST at one, or give --image",
    )
