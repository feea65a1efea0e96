"""What happened in a stage: what the reports show of it.

A record tells the truth at every moment: until the stage is over its outcome is "interrupted", and so is the step
under way, so that what a killed process leaves behind is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ecs_pipeline.engine.check_series import CheckSeries
from ecs_pipeline.errors import Holder

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
        return next(step for step in self.steps if step.name == name)


def measured(value: str | float | None, unit: str = "") -> str:
    """A value as people read it: 15 ms, 2.5 %, 3; '' for None."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else f"{value:.6g}"
    return text if unit in ("", "count") else f"{text} {unit}"
