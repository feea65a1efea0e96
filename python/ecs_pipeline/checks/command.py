"""The kind `command`: any program of the user's, told the facts as JSON; its exit code is the sample."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from ecs_pipeline import programs, text
from ecs_pipeline.checks.judges.judge import Undecided
from ecs_pipeline.checks.sample import BAD, GOOD, MISSING, UNCLEAR, Conclusion, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.config.checks import CommandCheck
from ecs_pipeline.errors import Trouble
from ecs_pipeline.timing.wait import duration

FACTS = "ECS_PIPELINE_FACTS"
OUTCOMES = {0: GOOD, 1: BAD, 2: UNCLEAR}
MOST_OUTPUT = 64 * 1024
"""Bytes at the end of a program's output that are read."""
LAST_LINES = 10
LONGEST_FIRST_LINE = 256
"""Bytes of a program's first line that Linux reads."""


class Command(Undecided):
    """Runs the program beside everything else: begun, looked at, killed with all its children when it is late."""

    limit: str | float | None = 0
    unit = ""
    value: str | float | None

    def __init__(self, settings: CommandCheck, subject: Subject) -> None:
        self._settings = settings
        self._subject = subject
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._late = 0.0
        self._trouble = ""
        self._lines: list[str] = []
        self.value = None

    def begin(self) -> None:
        """Start the program in the config's folder; its output goes to a private file."""
        run, self._trouble = self._subject.run, ""
        try:
            self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the program is over
            _refuse_unstartable(run.folder / self._settings.run[0])
            environment = {**programs.environment(aws=self._settings.aws), FACTS: self._subject.facts()}
            self._process = subprocess.Popen(
                self._settings.run,
                cwd=run.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            self._trouble = f"{self._settings.run[0]} cannot be started: {getattr(error, 'strerror', None) or error}"
        except Trouble as error:
            self._trouble = f"the facts cannot be read: {error.message}"
        self._late = run.clock.now() + self._settings.timeout

    def collect(self) -> Sequence[Sample] | None:
        """What its exit code says; a program that is late or cannot start gives no data."""
        if self._process is None:
            self.close()
            return [Sample(MISSING, self._trouble)]
        code = self._process.poll()
        if code is None and self._subject.run.clock.now() < self._late:
            return None
        self._lines = self._read()
        self.close()
        if code is None:
            return [Sample(MISSING, f"not over within {duration(self._settings.timeout)}")]
        self.value = code
        said = f": {self._lines[-1]}" if self._lines else ""
        ended = f"killed by signal {-code}" if code < 0 else f"exit code {code}"
        return [Sample(OUTCOMES.get(code, MISSING), f"{ended}{said}")]

    def conclude(self) -> Conclusion | None:
        """Its samples say it all."""
        return None

    def summary(self) -> str:
        """The last exit code, and the last line that it wrote."""
        return f"exit code {self.value}{f': {self._lines[-1]}' if self._lines else ''}"

    def details(self) -> Sequence[str]:
        """The last lines that it wrote."""
        return self._lines

    def close(self) -> None:
        """Kill what still runs of it."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if self._output is not None:
            self._output.close()
            self._output = None

    def _read(self) -> list[str]:
        assert self._output is not None  # noqa: S101 - opened with the program
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(size - MOST_OUTPUT, 0))
        said = self._output.read().decode("utf-8", "replace")
        return [text.cut(line.rstrip()) for line in said.splitlines() if line.strip()][-LAST_LINES:]


def _refuse_unstartable(program: Path) -> None:
    """A script whose first line leads nowhere: the system would say that the script itself is not there, or `env` that
    there is no such program. Raises ValueError.
    """
    try:
        with program.open("rb") as file:
            first = file.readline(LONGEST_FIRST_LINE)
    except OSError:
        return  # no file of ours: what starting it says is right
    if not first.startswith(b"#!"):
        return
    if b"\r" in first:
        raise ValueError("its first line ends with a carriage return: save it with line ends of Unix")
    interpreter = next(iter(first[2:].decode("utf-8", "replace").split()), "")
    if not Path(interpreter).exists():
        raise ValueError(f"its first line names {interpreter}, which is not there")
