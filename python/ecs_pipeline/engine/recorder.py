"""Writes a stage's record down as it happens, and tells those who listen: consoles and reports."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from ecs_pipeline.engine.record import ERROR, FAILED, PASSED, RUNNING, StageRecord, StepRecord, TrafficPoint
from ecs_pipeline.errors import AnswerLost, Held, Interrupted, PipelineError
from ecs_pipeline.timing.clock import Clock


class Listener(Protocol):
    """Hears what happens: a console, a report."""

    def step_started(self, record: StageRecord, step: StepRecord) -> None:
        """A step begins (or goes on)."""

    def progressed(self, record: StageRecord, step: StepRecord | None, text: str) -> None:
        """Something changed within a step; `step` is None between steps."""

    def updated(self, record: StageRecord) -> None:
        """Numbers changed that are no event."""

    def step_ended(self, record: StageRecord, step: StepRecord) -> None:
        """A step is over."""

    def finished(self, record: StageRecord) -> None:
        """The stage is over."""


class Recorder:
    """Writes the record of one stage and tells its listeners."""

    def __init__(
        self,
        record: StageRecord,
        clock: Clock,
        listeners: Sequence[Listener],
    ) -> None:
        self.record = record
        self._clock = clock
        self._calls: Callable[[], int] = lambda: 0
        self._listeners = tuple(listeners)
        self._start = clock.now()
        self._step: StepRecord | None = None

    def counts(self, calls: Callable[[], int]) -> None:
        """Tell where the number of AWS calls comes from."""
        self._calls = calls

    @contextmanager
    def step(self, name: str) -> Iterator[StepRecord]:
        """Run a step: its time, its outcome, and what ended it. A step that is entered again goes on."""
        step = self.record.step(name)
        outer, begun = self._step, self._clock.now()
        self._step, step.outcome = step, RUNNING
        step.started = step.started or self._clock.wall()
        self._tick()
        for listener in self._listeners:
            listener.step_started(self.record, step)
        try:
            yield step
            step.outcome = PASSED
        except BaseException as error:
            self._failed(step, error)
            raise
        finally:
            step.seconds += self._clock.now() - begun
            self._step = outer
            self._tick()
            for listener in self._listeners:
                listener.step_ended(self.record, step)

    def progress(self, text: str) -> None:
        """Say what changed; told once, not at every look."""
        self._tick()
        for listener in self._listeners:
            listener.progressed(self.record, self._step, text)

    @contextmanager
    def writing(self, text: str, *things: str) -> Iterator[None]:
        """Say what is written, and note it once that is done: `things` when the text tells of several at once."""
        self.progress(text)
        with self.noting(text, *things):
            yield

    @contextmanager
    def noting(self, text: str, *things: str) -> Iterator[None]:
        """The same without a word in the console; what was interrupted, or got no answer, may have been done."""
        noted = self.record.writing = things or (text,)
        try:
            yield
        except (Interrupted, AnswerLost):
            raise
        except PipelineError:
            self.record.writing = ()
            raise
        self.record.done += noted
        self.record.writing = ()

    def wrote(self) -> None:
        """Note that something was written to AWS, or may have been."""
        self.record.changed = True

    def plan(self, text: str, *, writes: bool = True) -> None:
        """Note what a run that is no dry run would do next; not `writes`: it would only watch or wait."""
        self.record.plan.append(text)
        self.record.changed = self.record.changed or writes

    def update(self) -> None:
        """Numbers changed: reports follow, nothing is said."""
        self._tick()
        for listener in self._listeners:
            listener.updated(self.record)

    def task_state(self, arn: str, state: str) -> None:
        """Note how a task of the canary is by now."""
        for task in self.record.canary:
            if task.arn == arn:
                task.state = state

    def traffic(self, canaries: int, stable: int) -> None:
        """Note that from now on so many targets take traffic."""
        last = self.record.traffic[-1] if self.record.traffic else None
        if last is None or (last.canaries, last.stable) != (canaries, stable):
            self.record.traffic.append(TrafficPoint(self._clock.wall(), canaries, stable))

    def finish(self, outcome: str, exit_code: int, error: PipelineError | None = None) -> None:
        """Close the record."""
        record = self.record
        record.outcome, record.exit_code = outcome, exit_code
        if error is not None:
            record.message, record.cure, record.evidence = error.message, error.cure, error.evidence
        if isinstance(error, Held):
            record.holder = error.holder
        if isinstance(error, Interrupted):
            under_way = [step.name for step in record.steps if step.outcome == ERROR]
            record.message += (f" during {under_way[-1]}" if under_way else "") + error.left
        self._tick()
        for listener in self._listeners:
            listener.finished(record)

    def _failed(self, step: StepRecord, error: BaseException) -> None:
        if isinstance(error, PipelineError):
            step.outcome = FAILED if error.exit_code in (1, 2, 3) else ERROR
            step.message, step.evidence = str(error), error.evidence
        else:
            step.outcome, step.message = ERROR, f"{type(error).__name__}: {error}"

    def _tick(self) -> None:
        self.record.seconds = self._clock.now() - self._start
        self.record.waited_seconds = self._clock.waited
        self.record.aws_calls = self._calls()
