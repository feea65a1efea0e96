"""Builds with BuildKit through `docker buildx bake`.

The build's definition, values of arguments included, goes to standard input. In the environment they would be settings
of docker itself (PATH, DOCKER_HOST, LD_PRELOAD), and argument lists are public.
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


def definition(
    context: Path, dockerfile: Path, tag: str, platform: str, *, arguments: Mapping[str, str], labels: Mapping[str, str]
) -> Mapping[str, object]:
    """What bake is to build: one target, in bake's JSON."""
    target: dict[str, object] = {
        "context": _literal(str(context)),
        "dockerfile": _literal(str(dockerfile)),
        "tags": [_literal(tag)],
        "args": {_literal(key): _literal(value) for key, value in arguments.items()},
        "labels": {_literal(key): _literal(value) for key, value in labels.items()},
    }
    return {"target": {"default": {**target, **({"platforms": [platform]} if platform else {})}}}


def run(built: Mapping[str, object], arguments: Mapping[str, str | None], heard: Callable[[str], None]) -> int:
    """Build; `heard` hears each line and may raise, which ends the builder. Returns the exit code.

    Raises Trouble when docker cannot be started.
    """
    try:
        with _started(_environment(arguments)) as process:
            try:
                _feed(process, json.dumps(built))
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


def _environment(arguments: Mapping[str, str | None]) -> dict[str, str]:
    """Docker's environment, without the variables that are arguments of the build; where it may read is bake's own."""
    kept = programs.environment(aws=True)
    kept |= {key: str(Path(kept[key]).absolute()) for key in FOLDERS if kept.get(key)}
    only_arguments = {key for key, value in arguments.items() if value is None and not DOCKERS_OWN.fullmatch(key)}
    return {**{key: kept[key] for key in kept.keys() - only_arguments}, "BUILDX_BAKE_ENTITLEMENTS_FS": "0"}


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
