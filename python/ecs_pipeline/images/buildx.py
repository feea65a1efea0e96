"""Builds with BuildKit through `docker buildx bake`.

The build's definition, values of arguments included, goes to standard input. In the environment they would be settings
of docker itself (PATH, DOCKER_HOST, LD_PRELOAD), and argument lists are public. Secrets are named there only: docker
reads the file, or the variable of its environment, itself.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from ecs_pipeline import programs
from ecs_pipeline.errors import Trouble
from ecs_pipeline.images.build import Build, Secret
from ecs_pipeline.images.build_arguments import values_of
from ecs_pipeline.images.cache import joined

ENDS_WITHIN = 0.5
"""Seconds that a builder has to end by itself when the stage was interrupted."""
ANSWERS_WITHIN = 30
LONGEST_LINE = 64 * 1024
"""Characters of a builder's line that are read at once."""
DOCKERS_OWN = re.compile(
    r"PATH|HOME|USER|LOGNAME|TMPDIR|SSH_AUTH_SOCK|\w*_PROXY|(DOCKER|BUILDX|BUILDKIT|XDG|AWS)_\w+", re.IGNORECASE
)
"""Variables that docker itself may need, whether or not they are arguments of the build too."""


FOLDERS = ("DOCKER_CONFIG", "DOCKER_CERT_PATH", "BUILDX_CONFIG")
"""Variables that may be relative to where we are."""


def has_buildx() -> bool:
    """Whether `docker buildx` can be called."""
    docker = programs.find("docker")
    if not docker:
        return False
    try:
        asked = subprocess.run(
            [docker, "buildx", "version"],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=ANSWERS_WITHIN,
            check=False,
            env=programs.environment(aws=True),
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def definition(build: Build) -> Mapping[str, object]:
    """What bake is to build: one target, in bake's JSON. It names secrets, and holds none."""
    target: dict[str, object] = {
        "context": _literal(str(build.context)),
        "dockerfile": _literal(str(build.context / build.dockerfile)),
        "tags": [_literal(build.tag)],
        "args": {_literal(key): _literal(value) for key, value in values_of(build.arguments).items()},
        "labels": {_literal(key): _literal(value) for key, value in build.labels.items()},
    }
    more = {
        "platforms": [build.platform] if build.platform else [],
        "target": _literal(build.target),
        "secret": [_literal(_secret(name, secret)) for name, secret in build.secrets.items()],
        "cache-from": [_literal(entry) for entry in build.cache_from],
        "cache-to": [_literal(entry) for entry in build.cache_to],
    }
    return {"target": {"default": {**target, **{key: value for key, value in more.items() if value}}}}


def _secret(name: str, secret: Secret) -> str:
    """A secret as `--secret` takes it."""
    if secret.variable is not None:
        return joined({"type": "env", "id": name, "env": secret.variable})
    return joined({"type": "file", "id": name, "src": str(secret.file)})


def run(build: Build, heard: Callable[[str], None]) -> int:
    """Build; `heard` hears each line and may raise, which ends the builder. Returns the exit code.

    Raises Trouble when docker cannot be started.
    """
    try:
        with _started(_environment(build)) as process:
            try:
                _feed(process, json.dumps(definition(build)))
                for line in _lines(process.stdout):
                    heard(line)
            except BaseException:
                _end(process)
                raise
    except OSError as error:
        raise Trouble(
            f"docker cannot be started: {error.strerror or error}", cure="see what `docker info` says"
        ) from error
    return process.returncode


@contextmanager
def _started(environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """bake, from the root folder: it reads `.env` where it is started, and asks for leave to read what is not below.

    The link gives standard input a name that ends in .json, else bake takes it for a Compose file first.
    """
    with TemporaryDirectory(prefix="ecs-pipeline-") as folder:
        link = Path(folder) / "build.json"
        link.symlink_to("/dev/stdin")
        command = [programs.find("docker"), "buildx", "bake", "--file", str(link)]
        with subprocess.Popen(
            [*command, "--load", "--provenance=false", "--progress=plain"],
            cwd="/",
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process:
            yield process


def _feed(process: subprocess.Popen[str], text: str) -> None:
    """Hand the definition over; a builder that ends before it has read it says why itself."""
    assert process.stdin  # noqa: S101 - a pipe, as it was started
    with suppress(BrokenPipeError):
        process.stdin.write(text)
        process.stdin.close()


def _lines(output: IO[str] | None) -> Iterator[str]:
    """The lines of a builder; one without an end comes in pieces."""
    while output and (line := output.readline(LONGEST_LINE)):
        yield line.rstrip()


def _environment(build: Build) -> dict[str, str]:
    """Docker's environment with the secrets that are variables, and without those that are arguments of the build.

    Where it may read is bake's own.
    """
    kept = programs.environment(aws=True)
    kept |= {key: str(Path(kept[key]).absolute()) for key in FOLDERS if kept.get(key)}
    arguments = {key for key, value in build.arguments.items() if value is None and not DOCKERS_OWN.fullmatch(key)}
    secrets = {secret.variable: secret.value() for secret in build.secrets.values() if secret.variable is not None}
    return {
        **{key: kept[key] for key in kept.keys() - arguments},
        **{key: value for key, value in secrets.items() if key not in kept.keys() - arguments},
        "BUILDX_BAKE_ENTITLEMENTS_FS": "0",
    }


def _literal(text: str) -> str:
    """Text that bake takes as it is: `${` and `%{` begin its templates."""
    return re.sub(r"([$%])(?=\{)", r"\1\1", text)


def _end(process: subprocess.Popen[str]) -> None:
    """End a builder and its plugin's process; buildx told to end lets the step that it runs come to its own end."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDS_WITHIN)
