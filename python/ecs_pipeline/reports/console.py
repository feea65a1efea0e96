"""The console: one line an event on stderr, and a live line on a terminal while a step waits.

A log gets plain lines only, never wrapped, cut or coloured. What the stage is about to end with is said last.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import IO

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from ecs_pipeline.engine.record import (
    ENDED_EARLY,
    ERROR,
    FAILED,
    PASSED,
    RUNNING,
    SKIPPED,
    CheckRecord,
    StageRecord,
    StepRecord,
)
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.reports.cases import culprit, cure, evidence, reason
from ecs_pipeline.reports.plain import one_line, plain, plain_lines
from ecs_pipeline.timing.clock import SystemClock
from ecs_pipeline.timing.wait import duration

STYLES = {PASSED: "green", FAILED: "bold red", ERROR: "bold red", SKIPPED: "dim"}
OTHER_STYLE = "bold yellow"
INVALID = "INVALID"
"""Bad usage or config (exit 2): something to correct, where a refusal (exit 3) is for now."""


class ConsoleLog:
    """A listener that prints; a stream that takes no more is given up, the stage goes on."""

    def __init__(self, stream: IO[str] | None = None, wall: Callable[[], datetime] | None = None) -> None:
        self._console = _Lines(stream or sys.stderr)
        self._wall = wall or SystemClock().wall
        self._live: Progress | None = None
        self._begun = False

    def step_started(self, record: StageRecord, step: StepRecord) -> None:
        """A step begins: a terminal shows it on the live line."""
        self._head(record)
        self._wait(step.name)

    def progressed(self, record: StageRecord, step: StepRecord | None, text: str) -> None:
        """Something changed."""
        self._head(record)
        place = f"{step.name}: " if step else ""
        first, *more = plain_lines(text) or [""]
        self._say(f"{place}{first}")
        for line in more:
            self._console.line_of(f"         {line}")
        if step is not None:
            self._wait(f"{place}{first}")

    def updated(self, record: StageRecord) -> None:
        """Numbers of the checks: a terminal shows them on the live line."""
        step = next((step for step in record.steps if step.outcome == RUNNING), None)
        counted = [_so_far(check) for check in record.checks]
        if step and counted:
            self._wait(f"{step.name}: {', '.join(counted)}")

    def step_ended(self, record: StageRecord, step: StepRecord) -> None:
        """A step is over: its outcome, its time, its message. What a dry run would do is told on stdout."""
        self._head(record)
        self._rest()
        if record.dry_run and step.outcome == PASSED:
            return
        outcome, said = (step.outcome, STYLES.get(step.outcome, "")), step.message
        if said.startswith(ENDED_EARLY):
            outcome, said = (ENDED_EARLY, OTHER_STYLE), said.removeprefix(f"{ENDED_EARLY}: ")
        message = f": {one_line(said)}" if said else ""
        self._say(f"{step.name} ", outcome, f" ({duration(step.seconds)}){message}")

    def finished(self, record: StageRecord) -> None:
        """The stage is over: one line when all is well, else what went wrong, the evidence and the cure."""
        self._head(record)
        self._rest()
        if record.exit_code == 0 and record.dry_run:
            self._say(
                f"{_place(record)}: nothing was written, {duration(record.seconds)}, {record.aws_calls} AWS calls"
            )
        elif record.exit_code == 0:
            self._say(f"{_place(record)} ", (record.outcome, STYLES[PASSED]), f": {_summary(record)}")
        else:
            self._fail(record)

    def _fail(self, record: StageRecord) -> None:
        word = INVALID if record.exit_code == InvalidInput.exit_code else record.outcome.upper()
        outcome = (word, STYLES.get(record.outcome, OTHER_STYLE))
        self._console.line_of(outcome, f" {_failure(record)}")
        for line in [line for text in evidence(record) for line in plain_lines(text)]:
            self._console.line_of(f"  {line}")
        if cure(record):
            self._console.line_of((f"{self._console.arrow} {one_line(cure(record))}", "bold"))

    def _head(self, record: StageRecord) -> None:
        if self._begun:
            return
        self._begun = True
        release = f", release {record.release.id}" if record.release.id else ""
        dry = ", dry run" if record.dry_run else ""
        region = f" in {record.region}" if record.region else ""
        self._say((_place(record), "bold"), f"{region}{release}{dry}")

    def _say(self, *parts: str | tuple[str, str]) -> None:
        self._console.line_of(f"{self._wall().astimezone():%H:%M:%S} ", *parts)

    def _wait(self, text: str) -> None:
        if not self._console.live:
            return
        if self._live is None:
            self._live = self._console.live_line()
        self._live.update(self._live.task_ids[0], description=self._console.encodable(text))

    def _rest(self) -> None:
        if self._live is not None:
            self._console.attempt(self._live.stop)
            self._live = None


class _Lines(Console):
    """Rich's console as logs need it: text as it is, one event a line, quiet once the stream is gone."""

    def __init__(self, stream: IO[str]) -> None:
        terminal = stream.isatty()
        super().__init__(
            file=stream, force_terminal=terminal, soft_wrap=True, highlight=False, markup=False, emoji=False
        )
        self.live = terminal
        self.arrow = "→" if self._encodes("→") else "->"

    def line_of(self, *parts: str | tuple[str, str]) -> None:
        """Print one line made of texts and (text, style)."""
        clean = [(part, "") if isinstance(part, str) else part for part in parts]
        text = Text.assemble(*((self.encodable(plain(part)), style) for part, style in clean))
        self.attempt(lambda: self.print(text))

    def live_line(self) -> Progress:
        """Start the live line: what is waited for, and for how long already.

        stdout stays as it is, for data goes there; what others write to stderr appears above the line.
        The cursor is shown again at once, so that a killed process leaves a terminal as it was.
        """
        one_line_high = Column(no_wrap=True, overflow="ellipsis")
        text = TextColumn("{task.description}", markup=False, table_column=one_line_high)
        columns = (SpinnerColumn("line"), text, TimeElapsedColumn())
        live = Progress(*columns, console=self, transient=True, redirect_stdout=False, refresh_per_second=4)
        live.add_task("", total=None)
        self.attempt(live.start)
        self.attempt(lambda: self.show_cursor(show=True))
        return live

    def encodable(self, text: str) -> str:
        """The text as the stream's encoding can show it."""
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)

    def attempt(self, write: Callable[[], object]) -> None:
        """Write, and give the stream up when it fails: that is no reason to stop a stage."""
        try:
            write()
        except (OSError, ValueError):
            self._give_up()

    def on_broken_pipe(self) -> None:
        """Give the stream up, where rich would end the process."""
        self._give_up()

    def _give_up(self) -> None:
        """Be quiet, and let Python's flush at exit succeed: its failure would change the exit code to 120."""
        self.quiet, self.live = True, False
        with suppress(OSError, ValueError):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self.file.fileno())
            os.close(nothing)

    def _encodes(self, text: str) -> bool:
        try:
            text.encode(self.encoding)
        except UnicodeEncodeError:
            return False
        return True


def _so_far(check: CheckRecord) -> str:
    """How many samples were good; of a comparison, the evidence."""
    if check.evidence is not None and check.line:
        return f"{check.name} evidence {check.evidence:.1f} of {check.line:.0f}"
    return f"{check.name} {check.samples - check.failures}/{check.samples}"


def _place(record: StageRecord) -> str:
    return one_line(f"{record.stage} {record.cluster}/{record.service}")


def _failure(record: StageRecord) -> str:
    step = culprit(record)
    where = f"{step.name}: " if step else ""
    return f"{_place(record)}: {where}{one_line(reason(record)) or f'exit code {record.exit_code}'}"


def _summary(record: StageRecord) -> str:
    release, revision = record.release.id, record.release.task_definition.rpartition("/")[2]
    parts = [one_line(record.message)] if record.message else []
    parts += [f"release {release}"] if release else []
    parts += [f"revision {revision}"] if revision else []
    parts += [f"share {record.share:.1f} %"] if record.share else []
    return ", ".join([*parts, duration(record.seconds), f"{record.aws_calls} AWS calls"])
