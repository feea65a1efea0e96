"""A baseline beside the canary: each step is taken for both at the same moment, and only the canary can fail it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from ecs_pipeline.engine.converge import Step
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import ReleaseFailed
from ecs_pipeline.model.release import Task
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.removal import Write
from ecs_pipeline.steps.retire import RetireStep, targets_of
from ecs_pipeline.steps.tasks import Lost
from ecs_pipeline.steps.trust import Foreign
from ecs_pipeline.timing.wait import Deadline, Judgement, Settled, Waiting

Seen = TypeVar("Seen")
Result = TypeVar("Result")

PATIENCE = 60.0
"""Seconds that a canary which is ready waits for its baseline, in each step …"""
PART = 0.25
"""… and no more than this part of the time that is left: it is the canary's own."""


@dataclass
class WithBaseline(Step["tuple[Seen, Seen | None]", "tuple[Result, Result | None]"], Generic[Seen, Result]):
    """The canary's step with the same step for the baseline; without a baseline, comparisons are inconclusive."""

    run: Run
    canary: Step[Seen, Result]
    baseline: Step[Seen, Result]
    deadline: Deadline
    _given_up: bool = field(default=False, init=False)
    _until: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.name, self.writes = self.canary.name, self.canary.writes

    def observe(self) -> tuple[Seen, Seen | None]:
        """Both; a task that only looks like the baseline ends that alone."""
        return self.canary.observe(), self._baseline()

    def _baseline(self) -> Seen | None:
        if self._given_up:
            return None
        try:
            return self.baseline.observe()
        except Foreign as error:
            self._give_up(error.message)
            return None

    def decide(self, seen: tuple[Seen, Seen | None]) -> str:
        """What either needs."""
        changes = [self.canary.decide(seen[0]), self.baseline.decide(seen[1]) if seen[1] is not None else ""]
        return "; for the baseline: ".join(changes) if all(changes) else "".join(changes)

    def act(self, seen: tuple[Seen, Seen | None]) -> None:
        """The canary's first: its RunTask is the lock of the service."""
        if self.canary.decide(seen[0]):
            self.canary.act(seen[0])
        if seen[1] is not None and self.baseline.decide(seen[1]):
            try:
                self.baseline.act(seen[1])
            except (Foreign, Lost, ReleaseFailed) as error:
                self._give_up(error.message)

    def judge(self, seen: tuple[Seen, Seen | None]) -> Judgement[tuple[Result, Result | None]]:
        """The canary's judgement; the baseline is waited for a while."""
        first = self.canary.judge(seen[0])
        if not isinstance(first, Settled):
            return first
        if self._given_up or seen[1] is None:
            return Settled((first.result, None))
        second = self.baseline.judge(seen[1])
        if isinstance(second, Settled):
            return Settled((first.result, second.result))
        now = self.run.clock.now()
        if self._until is None:
            self._until = now + min(PATIENCE, (self.deadline.at - now) * PART)
        if isinstance(second, Waiting) and now < self._until:
            return Waiting(f"baseline: {second.why}")
        self._give_up(second.why)
        return Settled((first.result, None))

    def evidence(self) -> list[str]:
        """The canary's."""
        return list(self.canary.evidence())

    def told(self, result: tuple[Result, Result | None]) -> str:
        """The canary's line, then the baseline's."""
        line = self.canary.told(result[0])
        return f"{line}; no baseline" if result[1] is None else f"{line}; baseline: {self.baseline.told(result[1])}"

    def _give_up(self, why: str) -> None:
        self._given_up = True
        self.run.recorder.progress(f"no baseline, comparisons with it are inconclusive: {why}")


def leave_traffic(run: Run, write: Write) -> None:
    """A baseline that died, or was given up, out of the traffic: its address is used again. Its task goes later."""
    seen = run.observer.snapshot()
    baselines = {task.arn for task in seen.baselines}
    left = [
        registration.target
        for registration in seen.registrations
        if registration.owner in baselines and not registration.draining
    ]
    RetireStep(run, write).deregister(left, seen.registrations)


def own_baselines(seen: Snapshot, release: str, revision: str) -> list[Task]:
    """Those of a release that run this revision, which is the service's; any other baseline goes."""
    return [task for task in seen.baselines if (task.release, task.revision) == (release, revision)]


def sweep_baselines(run: Run, fence: Fence, seen: Snapshot, release: str) -> None:
    """Take away what is not of `own_baselines`: it has the place of this release's own."""
    own = own_baselines(seen, release, seen.service.revision)
    left = [task for task in seen.baselines if task not in own]
    if left:
        retire = RetireStep(run, fence.write, "ecs-pipeline: left over from an earlier release")
        retire.carry_out(left, targets_of(run, left, seen.service))


def sweep_seconds(run: Run, fence: Fence, seen: Snapshot) -> str:
    """Second tasks of a number that has its task: none of ours. What was done, in a few words; '' for nothing."""
    if not seen.seconds:
        return ""
    named = ", ".join(task.id for task in seen.seconds)
    retire = RetireStep(run, fence.write, "ecs-pipeline: the release has a task of that number")
    stopped = retire.carry_out(seen.seconds, targets_of(run, seen.seconds, seen.service))
    return f"{named} {'was' if stopped else 'would be'} stopped, for the release has a task of that number"


def sweep_surplus(run: Run, fence: Fence, seen: Snapshot, most: int) -> Snapshot:
    """Tasks with a number that this run has no use for: the canary is smaller than when they were started.

    The look without them.
    """
    left = [task for task in seen.canaries if task.index >= most]
    if not left:
        return seen
    named = ", ".join(task.id for task in left)
    run.recorder.progress(f"the canary has {most} task{'s' if most > 1 else ''} now: {named} goes")
    retire = RetireStep(run, fence.write, "ecs-pipeline: the canary is smaller now")
    retire.carry_out(left, targets_of(run, left, seen.service))
    return replace(seen, tasks=tuple(task for task in seen.tasks if task not in left))
