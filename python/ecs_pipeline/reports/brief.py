"""A console that is quiet until AWS is asked: bad input that is found before that is one line, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from ecs_pipeline.engine.record import StageRecord, StepRecord
from ecs_pipeline.engine.recorder import Listener
from ecs_pipeline.errors import InvalidInput
from ecs_pipeline.text import cut

Event = Callable[[], None]


class BriefConsole:
    """Keeps what happens for the console, until AWS was asked or the stage is over."""

    def __init__(self, console: Listener) -> None:
        self._console = console
        self._kept: list[Event] = []

    def step_started(self, record: StageRecord, step: StepRecord) -> None:
        """A step begins."""
        self._hear(record, lambda: self._console.step_started(record, step))

    def progressed(self, record: StageRecord, step: StepRecord | None, text: str) -> None:
        """Something changed."""
        self._hear(record, lambda: self._console.progressed(record, step, text))

    def updated(self, record: StageRecord) -> None:
        """Numbers changed."""
        self._hear(record, lambda: self._console.updated(record))

    def step_ended(self, record: StageRecord, step: StepRecord) -> None:
        """A step is over."""
        self._hear(record, lambda: self._console.step_ended(record, step))

    def finished(self, record: StageRecord) -> None:
        """The stage is over."""
        if record.exit_code == InvalidInput.exit_code and not record.aws_calls:
            tell(InvalidInput(record.message, cure=record.cure, evidence=record.evidence))
            return
        self._tell_all()
        self._console.finished(record)

    def _hear(self, record: StageRecord, event: Event) -> None:
        self._kept.append(event)
        if record.aws_calls:
            self._tell_all()

    def _tell_all(self) -> None:
        kept, self._kept = self._kept, []
        for event in kept:
            event()


def tell(error: InvalidInput) -> None:
    """One line on stderr: the place, what is wrong, what to do; other mistakes at its end."""
    line = f"ecs-pipeline: {error}" + (f" ({_others(error.evidence)})" if error.evidence else "")
    stream = sys.stderr
    encoding = getattr(stream, "encoding", None) or "utf-8"
    with suppress(OSError, ValueError):
        stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()


def _others(mistakes: Sequence[str]) -> str:
    what = "and one more mistake" if len(mistakes) == 1 else f"and {len(mistakes)} more mistakes"
    return cut(f"{what}: {'; '.join(mistakes)}")
