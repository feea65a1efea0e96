"""The signature of an image, verified by `cosign` or `notation`: always by digest, with a deadline.

The login for the registry goes to the program in its environment (notation), or in a file that is nowhere on a disk
(cosign): argument lists are public, and a file would stay behind a killed process.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ecs_pipeline import programs
from ecs_pipeline.errors import InvalidInput, Trouble

COSIGN, NOTATION = "cosign", "notation"
MOST_OUTPUT = 64 * 1024
"""Bytes at the end of a program's output that are read."""
LAST_LINES = 10


@dataclass(frozen=True)
class Login:
    """What opens a registry: never to be printed."""

    registry: str
    user: str
    password: str


@dataclass(frozen=True)
class Verification:
    """A program that says whether an image is signed, and what it is told beside the image."""

    program: str
    options: Sequence[str] = ()

    def command(self, reference: str) -> list[str]:
        """What is started. Raises InvalidInput when the program is not there."""
        found = programs.find(self.program)
        if not found:
            raise InvalidInput(
                f"{self.program} is not on this machine, and image.signature asks for it",
                cure=f"install {self.program} in an absolute folder of PATH, or take image.signature out",
            )
        return [found, "verify", *self.options, reference]


@dataclass(frozen=True)
class Ended:
    """How the program ended; `code` is below zero for a signal."""

    code: int
    lines: Sequence[str]


@contextmanager
def started(verification: Verification, reference: str, login: Login | None) -> Iterator[Callable[[], Ended | None]]:
    """Start the program; what is yielded says how it ended, None while it runs. It does not outlive the block.

    Raises InvalidInput when it is not there, Trouble when it cannot be started.
    """
    command = verification.command(reference)
    with ExitStack() as stack:
        output = stack.enter_context(tempfile.TemporaryFile())
        added, files = stack.enter_context(_login(verification.program, login))
        try:
            process = subprocess.Popen(
                command,
                cwd="/",
                env={**programs.environment(aws=True), **added},
                pass_fds=files,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            why = error.strerror or error
            raise Trouble(f"{command[0]} cannot be started: {why}", cure=f"repair {verification.program}") from error
        stack.callback(_end, process)

        def ended() -> Ended | None:
            code = process.poll()
            return None if code is None else Ended(code, _read(output, login))

        yield ended


@contextmanager
def _login(program: str, login: Login | None) -> Iterator[tuple[Mapping[str, str], Sequence[int]]]:
    """Variables that hand the login on, and the files that they lead to; without a login the user's own are taken."""
    if login is None:
        yield {}, ()
    elif program == NOTATION:
        yield {"NOTATION_USERNAME": login.user, "NOTATION_PASSWORD": login.password}, ()
    else:
        auth = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
        config = json.dumps({"auths": {login.registry: {"auth": auth}}}).encode()
        with tempfile.TemporaryDirectory(prefix="ecs-pipeline-") as folder, _in_memory(config) as file:
            (Path(folder) / "config.json").symlink_to(f"/proc/self/fd/{file}")
            yield {"DOCKER_CONFIG": folder}, (file,)


@contextmanager
def _in_memory(content: bytes) -> Iterator[int]:
    """A file in memory, gone with the last process that has it open; every opening of its link reads all of it."""
    file = os.memfd_create("config.json")
    try:
        os.write(file, content)
        yield file
    finally:
        os.close(file)


def _read(output: IO[bytes], login: Login | None) -> list[str]:
    """The last lines that it wrote, without the password."""
    size = output.seek(0, os.SEEK_END)
    output.seek(max(size - MOST_OUTPUT, 0))
    said = output.read().decode("utf-8", "replace")
    said = said.replace(login.password, "***") if login else said
    return [line.rstrip() for line in said.splitlines() if line.strip()][-LAST_LINES:]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what still runs of it, its children too."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
