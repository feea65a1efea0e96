"""Starts commands as forks of a process that has imported the package: that takes them longer than all else they do.

A fork has arguments, folder, environment and output of its own, and is signalled and killed like any other process.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ecs_pipeline
from ecs_pipeline.cli.commands import main as cli


@dataclass
class Forks:
    """The process that forks; asked with a line of JSON, it answers with a number."""

    server: subprocess.Popen[str]
    _one_asks: threading.Lock = field(default_factory=threading.Lock)

    def start(self, words: Sequence[str], folder: Path, environment: Mapping[str, str], output: Path) -> Fork:
        """Start `ecs-pipeline` with these arguments; `output`: where stdout and stderr go, each with its suffix."""
        asked = {"words": list(words), "folder": str(folder), "environment": dict(environment), "output": str(output)}
        return Fork(self, self.ask(asked), output)

    def ask(self, asked: Mapping[str, Any]) -> int:
        """One question and its answer; tests with threads ask at the same time."""
        stdin, stdout = self.server.stdin, self.server.stdout
        assert stdin
        assert stdout
        with self._one_asks:
            stdin.write(json.dumps(asked) + "\n")
            stdin.flush()
            return int(stdout.readline())


@dataclass
class Fork:
    """A command that runs."""

    forks: Forks
    pid: int
    output: Path
    returncode: int | None = None

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal; none once its end was noticed."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def ended(self, within: float) -> tuple[int, str, str]:
        """Exit code (negative: the signal that ended it), stdout and stderr; TimeoutError after `within` seconds."""
        if self.returncode is None:
            watched = os.pidfd_open(self.pid)
            try:
                if not select.select([watched], [], [], within)[0]:
                    raise TimeoutError(f"it still runs after {within:.0f}s: {_read(self.output, 'stderr')[-1500:]}")
            finally:
                os.close(watched)
            self.returncode = self.forks.ask({"wait": self.pid})
        return self.returncode, _read(self.output, "stdout"), _read(self.output, "stderr")


def _read(output: Path, suffix: str) -> str:
    return output.with_suffix(f".{suffix}").read_text()


@contextmanager
def forking() -> Iterator[Forks]:
    """The process that forks, until the end of the block."""
    command = [sys.executable, "-m", __name__]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        yield Forks(server)


def main() -> int:
    """Fork a command for each line, or wait for one, until the input ends; what a fork returns is its exit code."""
    for module in pkgutil.walk_packages(ecs_pipeline.__path__, "ecs_pipeline."):
        importlib.import_module(module.name)
    for name in ("docker", "requests", "ruamel.yaml"):
        importlib.import_module(name)
    os.fsync = lambda fd: None  # as in tests/conftest.py
    answers = os.dup(1)
    while line := _line():
        asked = json.loads(line)
        if "wait" in asked:
            answer = os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])
        elif not (answer := os.fork()):
            os.close(answers)
            return _command(asked)
        os.write(answers, f"{answer}\n".encode())
    return 0


def _line() -> bytes:
    """A line of the input; none is read ahead, for a fork would have it too."""
    line = b""
    while not line.endswith(b"\n") and (one := os.read(0, 1)):
        line += one
    return line


def _command(asked: Mapping[str, Any]) -> int:
    for number, path in enumerate([os.devnull, asked["output"] + ".stdout", asked["output"] + ".stderr"]):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, number)
        os.close(file)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    return cli.main(asked["words"])


if __name__ == "__main__":
    sys.exit(main())
