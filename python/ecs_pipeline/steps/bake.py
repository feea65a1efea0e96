"""The bake: the canary is watched under traffic for its whole time; whatever breaks it ends it at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.checks.watch import Watch
from ecs_pipeline.engine import evidence
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import ReleaseFailed
from ecs_pipeline.model.load_balancing import group_name
from ecs_pipeline.model.release import Container, Task
from ecs_pipeline.steps import removal
from ecs_pipeline.steps.baseline import leave_traffic
from ecs_pipeline.steps.ended import ended, refuse_taken_away
from ecs_pipeline.steps.rollout_deadline import groups_of
from ecs_pipeline.steps.traffic import Seen, targets_seen
from ecs_pipeline.timing import wait
from ecs_pipeline.timing.wait import StepBroken, duration

INTERVAL = 5.0
"""Seconds between two looks at tasks and targets."""
FRESH = 0.5
"""Seconds that a look may be old to count as the one at the end."""


@dataclass
class Bake:
    """Watches tasks, container health and targets, and the checks if there are any; `judge` may `write` nothing.

    `seen` is what was seen before it began: when that is fresh, it is the first look, and never the only one.
    """

    subject: Subject
    checks: Watch | None = None
    write: removal.Write | None = None
    seen: Seen | None = None
    _looked: float = field(default=-INTERVAL, init=False)
    _ended_before: set[tuple[str, str]] | None = field(default=None, init=False)
    _runtime_ids: dict[tuple[str, str], str] = field(default_factory=dict, init=False)

    @property
    def run(self) -> Run:
        """The run that it is part of."""
        return self.subject.run

    def watch(self, seconds: float) -> None:
        """Look again and again until the time is over. Raises StepBroken with what broke, CheckFailed, TakenAway."""
        start = self.run.clock.now()
        self.seen = self.seen if seconds else None
        delay = self._slow_start() + self.run.settings.canary.initial_delay if seconds else 0.0
        if delay:
            self.run.recorder.progress(f"first {duration(delay)} for slow start and initial delay")
            self._look_until(start + delay, None)
        checks = self.checks if seconds else None
        try:
            if checks:
                checks.start()
            self._look_until(start + delay + seconds, checks)
            if self.run.clock.now() > self._looked + FRESH:
                self.look()
            if checks:
                checks.conclude()
        except ReleaseFailed:
            self._look_at_ends()
            raise
        finally:
            if checks:
                checks.close()

    def _look_at_ends(self) -> None:
        """A task that AWS takes away fails checks and targets before its end is seen. Raises TakenAway."""
        refuse_taken_away(self.run.ecs.tasks([task.arn for task in self.subject.canary]))

    def judge_once(self) -> None:
        """A few samples of each check, then its verdict; tasks and targets are looked at meanwhile."""
        checks = self.checks
        assert checks  # noqa: S101 - without checks there is nothing to judge once
        try:
            checks.start()
            self.look()
            while not checks.done:
                self._look_until(self.run.clock.now(), checks)
                if not checks.done:
                    wait.pause(self.run.clock, checks.pause(INTERVAL))
            checks.conclude()
        except ReleaseFailed:
            self._look_at_ends()
            raise
        finally:
            checks.close()

    def _look_until(self, end: float, checks: Watch | None) -> None:
        """Look at tasks and targets now and then, and let the checks take their samples, until `end`.

        Samples that are due at the end itself are taken, and those under way are waited for.
        """
        clock = self.run.clock
        while True:
            if clock.now() >= self._looked + INTERVAL:
                self.look()
            if checks:
                checks.poll(end)
            left = end - clock.now()
            if left <= 0 and not (checks and checks.busy):
                return
            pause = max(self._looked + INTERVAL - clock.now(), 0.0)
            pause = checks.pause(pause, end) if checks else pause
            wait.pause(clock, min(pause, left) if left > 0 else pause)

    def look(self) -> None:
        """Look once. Raises StepBroken with what broke."""
        now = self._fresh() or self._targets_seen()
        self._looked = now.at
        seen = self._without_baseline(now)
        for task in evidence.stopped(seen.tasks):
            broken = ended(self.run, task, self.subject.revision, self.subject.container)
            raise StepBroken(broken.why, evidence=broken.evidence)
        if len(seen.tasks) < len(self.subject.canary):
            raise StepBroken("a canary task is gone")
        self._judge_health(seen)

    def _targets_seen(self) -> Seen:
        everybody = [*self.subject.canary, *self.subject.baseline]
        return targets_seen(self.run, everybody, self.subject.service, anomalies=True)

    def _fresh(self) -> Seen | None:
        """What was seen before the bake, once, while it is fresh and a group has no anomalies to ask for beside."""
        seen, self.seen = self.seen, None
        asked = any(group.anomaly_detection for group in groups_of(self.run, self.subject.service))
        return seen if seen and not asked and self.run.clock.now() <= seen.at + FRESH else None

    def _without_baseline(self, seen: Seen) -> Seen:
        """The canary's part of what is seen; a baseline that died leaves the traffic: its address is used again."""
        arns = {task.arn for task in self.subject.baseline}
        living = [task for task in seen.tasks if task.arn in arns and task.alive]
        if len(living) < len(arns):
            self.subject.baseline = living
            self.run.recorder.progress("the baseline stopped: comparisons with it are inconclusive")
            if self.write:
                leave_traffic(self.run, self.write)
        return Seen(
            tuple(task for task in seen.tasks if task.arn not in arns),
            tuple(target for target in seen.targets if target.task not in arns),
            seen.health,
        )

    def _judge_containers(self, seen: Seen) -> None:
        """A container that ended with an error while its task lives on: one that is not essential, or out of memory.

        Before the bake it may have when the service's own tasks have such a one as well. One that the revision does not
        have is AWS' own (GuardDuty's agent, for one), and no fault of the release.
        """
        ended = {
            key: container for key, container in _ended(seen.tasks).items() if self.subject.revision.container(key[1])
        }
        if self._ended_before is None:
            usual = {name for _, name in _ended(self.subject.stable)} if ended else set()
            self._ended_before = {(arn, name) for arn, name in ended if name in usual}
        for (arn, name), container in ended.items():
            if (arn, name) not in self._ended_before:
                task = next(each for each in seen.tasks if each.arn == arn)
                lines = evidence.of_task(self.run, task, self.subject.revision, self.subject.container)
                why = container.reason or f"exit code {container.exit_code}"
                raise StepBroken(f"container {name} of task {task.id} ended: {why}", evidence=lines)

    def _judge_restarts(self, seen: Seen) -> None:
        """A container that ECS started anew in a task that lives on (`restartPolicy`): another runtime id."""
        for task in seen.tasks:
            for container in task.containers:
                before = self._runtime_ids.get((task.arn, container.name))
                self._runtime_ids[task.arn, container.name] = container.runtime_id or before or ""
                if not before or container.runtime_id in ("", before):
                    continue
                what = f"container {container.name} of task {task.id} was restarted"
                if container.name == self.subject.container and self._is_essential(container.name):
                    lines = evidence.of_task(self.run, task, self.subject.revision, self.subject.container)
                    raise StepBroken(what, evidence=lines)
                self.run.recorder.progress(f"{what}: shown only, it is not the essential container under release")

    def _is_essential(self, name: str) -> bool:
        return bool((self.subject.revision.container(name) or {}).get("essential", True))

    def _judge_health(self, seen: Seen) -> None:
        self._judge_containers(seen)
        self._judge_restarts(seen)
        for task in seen.tasks:
            if task.health == "UNHEALTHY":
                lines = evidence.of_task(self.run, task, self.subject.revision, self.subject.container)
                raise StepBroken(f"container health of task {task.id} is UNHEALTHY", evidence=lines)
        for target in seen.targets:
            health = seen.of(target)
            where = f"target {target} in {group_name(target.group)}"
            if health is None:
                raise StepBroken(f"{where} is not registered any more")
            if health.state != "healthy":
                raise StepBroken(f"{where} is {health.state}: {health.reason} {health.description}".rstrip(": "))
            if health.anomalous:
                raise StepBroken(f"{where} is anomalous: the load balancer finds it worse than the others")

    def _slow_start(self) -> float:
        groups = groups_of(self.run, self.subject.service)
        return float(max((group.slow_start for group in groups), default=0))


def _ended(tasks: Iterable[Task]) -> dict[tuple[str, str], Container]:
    """Containers that ended with an error, by their tasks' ARNs and their names."""
    return {
        (task.arn, container.name): container
        for task in tasks
        for container in task.containers
        if container.exit_code or evidence.OUT_OF_MEMORY in container.reason
    }
