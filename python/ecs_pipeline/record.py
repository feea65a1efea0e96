"""What happened in a stage, written down as it happens; consoles and reports listen.

A record tells the truth at every moment: until the stage is over its outcome is "interrupted", and so is the step
under way, so that what a killed process leaves behind is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ecs_pipeline.check_series import CheckSeries
from ecs_pipeline.clock import Clock
from ecs_pipeline.errors import AnswerLost, Held, Holder, Interrupted, PipelineError

PASSED, FAILED, ERROR, SKIPPED, RUNNING = "passed", "failed", "error", "skipped", "running"
INTERRUPTED, ENDED_EARLY = "interrupted", "ended early"

UNFINISHED = 143
"""The exit code that a record shows until its stage is over."""


@dataclass
class StepRecord:
    """One step: a JUnit case. `message` is its one line, `evidence` what helps to understand a failure."""

    name: str
    outcome: str = SKIPPED
    message: str = ""
    evidence: tuple[str, ...] = ()
    started: datetime | None = None
    seconds: float = 0.0


@dataclass
class CheckRecord:
    """One check of the bake: a JUnit case `check: NAME`; `unit` is of value and limit, evidence fails at `line`."""

    name: str
    kind: str
    verdict: str = ""
    samples: int = 0
    failures: int = 0
    value: str | float | None = None
    limit: str | float | None = None
    message: str = ""
    required: bool = True
    started: datetime | None = None
    seconds: float = 0.0
    details: tuple[str, ...] = ()
    unit: str = ""
    evidence: float | None = None
    line: float | None = None
    rules: Mapping[str, Any] = field(default_factory=dict)
    series: CheckSeries = field(default_factory=CheckSeries)


@dataclass
class ReleaseRecord:
    """The release on its way; revisions are ARNs, `image` is the reference by digest."""

    id: str = ""
    image: str = ""
    digest: str = ""
    epoch: str = ""
    task_definition: str = ""
    previous_task_definition: str = ""
    previous_document: Mapping[str, Any] | None = None
    commit: str = ""
    build: str = ""

    def refer_to(self, image: str) -> None:
        """The image by its reference; a reference by tag tells no digest."""
        self.image, self.digest = image, image.partition("@")[2]


@dataclass
class CanaryTaskRecord:
    """One canary task and where it takes traffic; `registered` is what its target groups know it by."""

    arn: str
    ip: str = ""
    target_groups: tuple[str, ...] = ()
    state: str = ""
    role: str = "canary"
    registered: tuple[str, ...] = ()
    created: datetime | None = None


@dataclass(frozen=True)
class TrafficPoint:
    """How many targets took traffic from this moment on."""

    at: datetime
    canaries: int
    stable: int

    @property
    def share(self) -> float:
        """The canaries' part in percent."""
        return 100 * self.canaries / (self.canaries + self.stable) if self.canaries else 0.0


@dataclass
class StageRecord:
    """All that the reports of a stage show.

    `approved_by` and `comment`: who approved a promotion, as told, and what they said.
    `changed`: something was written to AWS, or in a dry run would be. `plan` is what a dry run would do, or a rollback
    is going to; `done` is what was written so far, in the same words, and `writing` what is being written.
    """

    stage: str
    cluster: str
    service: str
    region: str
    started: datetime
    steps: list[StepRecord]
    release: ReleaseRecord = field(default_factory=ReleaseRecord)
    canary: list[CanaryTaskRecord] = field(default_factory=list)
    share: float = 0.0
    checks: list[CheckRecord] = field(default_factory=list)
    traffic: list[TrafficPoint] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    log_tail: list[str] = field(default_factory=list)
    outcome: str = INTERRUPTED
    exit_code: int = UNFINISHED
    message: str = ""
    cure: str = ""
    evidence: tuple[str, ...] = ()
    holder: Holder | None = None
    changed: bool = False
    plan: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    writing: tuple[str, ...] = ()
    aws_calls: int = 0
    waited_seconds: float = 0.0
    seconds: float = 0.0
    dry_run: bool = False
    approved_by: str = ""
    comment: str = ""

    def step(self, name: str) -> StepRecord:
        """The step of that name."""
        return next(one for one in self.steps if one.name == name)


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


def measured(value: str | float | None, unit: str = "") -> str:
    """A value as people read it: 15 ms, 2.5 %, 3; '' for None."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else f"{value:.6g}"
    return text if unit in ("", "count") else f"{text} {unit}"
