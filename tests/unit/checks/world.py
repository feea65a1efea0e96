"""A canary under watch on a world in memory, and checks that do what a test says."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ecs_pipeline.checks.kinds import Kinds
from ecs_pipeline.checks.sample import GOOD, Check, Conclusion, Sample
from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.checks.watch import Watch
from ecs_pipeline.config.checks import CheckSettings
from ecs_pipeline.model.release import Task
from ecs_pipeline.steps.bake import Bake
from tests.fakes.ports import new_run
from tests.fakes.telemetry import FakeCloudWatch, FakeLogs
from tests.fakes.world import World
from tests.unit.canary_world import take, traffic_step


@dataclass
class WithOthers(Subject):
    """A canary whose service has the tasks that a test names."""

    others: tuple[Task, ...] = ()

    @property
    def stable(self) -> tuple[Task, ...]:
        """They neither come nor go by themselves."""
        return self.others


def beside(subject: Subject, others: Sequence[Task], baseline: Sequence[Task] = ()) -> WithOthers:
    """The same canary, with other tasks and a baseline."""
    run, service, canary, revision = subject.run, subject.service, subject.canary, subject.revision
    made = WithOthers(run, service, canary, revision, subject.container, subject.since, baseline)
    return replace(made, others=tuple(others), judged_alone=subject.judged_alone)


def subject_of(world: World, count: int = 1, settings: Mapping[str, Any] | None = None, **adapters: Any) -> Subject:
    """A canary that takes traffic."""
    step = traffic_step(world, count)
    take(step)
    run = replace(new_run(world, "canary", ["bake"], settings), clock=step.run.clock, **adapters)
    return Subject(run, step.service, step.tasks, step.revision, "app", run.clock.wall())


def check_of(**keys: Any) -> CheckSettings:
    """Settings of one check; quick ones."""
    return CheckSettings.model_validate({"interval": "1s", "failures": 2, "of": 3, "min_samples": 2, **keys})


@dataclass
class Scripted:
    """A check whose samples a test decides, by the second of the bake."""

    at: Callable[[float], Sequence[Sample] | None]
    subject: Subject
    conclusion: Conclusion | None = None
    value: str | float | None = 1
    limit: str | float | None = 2
    unit: str = "ms"
    evidence: float | None = None
    begun: list[float] = field(default_factory=list)
    closed: bool = False
    shown_at: float = math.inf

    def begin(self) -> None:
        self.begun.append(round(self._now, 3))

    def collect(self) -> Sequence[Sample] | None:
        return self.at(self._now)

    def decided(self) -> Conclusion | None:
        return Conclusion("fail", "shown") if self._now >= self.shown_at else None

    def conclude(self) -> Conclusion | None:
        return self.conclusion

    def summary(self) -> str:
        return "p95 1 ms, limit 2 ms"

    def details(self) -> Sequence[str]:
        return ["a detail"]

    def close(self) -> None:
        self.closed = True

    @property
    def _now(self) -> float:
        return (self.subject.run.clock.wall() - self.subject.since).total_seconds()


def good(_now: float) -> list[Sample]:
    """Always well."""
    return [Sample(GOOD, "well")]


class ScriptedKinds(Kinds):
    """Makes checks of scripts, by the checks' names."""

    def __init__(
        self, scripts: Mapping[str, Callable[[float], Sequence[Sample] | None]], shown_at: float = math.inf
    ) -> None:
        super().__init__(FakeCloudWatch())
        self._scripts = scripts
        self._shown_at = shown_at
        self.made: dict[str, Scripted] = {}

    def make(self, settings: CheckSettings, subject: Subject) -> Check:
        self.made[settings.title] = Scripted(self._scripts[settings.title], subject, shown_at=self._shown_at)
        return self.made[settings.title]


def watched(subject: Subject, settings: Sequence[CheckSettings], kinds: Kinds, seconds: float = 10) -> Watch:
    """Bake with these checks; what they came to."""
    watch = Watch(subject, settings, kinds)
    Bake(subject, watch).watch(seconds)
    return watch


def cloudwatch(subject: Subject) -> FakeCloudWatch:
    found = subject.run.cloudwatch
    assert isinstance(found, FakeCloudWatch)
    return found


def logs(subject: Subject) -> FakeLogs:
    found = subject.run.logs
    assert isinstance(found, FakeLogs)
    return found
