"""The bake: the canary is watched under traffic for its whole time; whatever breaks it ends it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecs_pipeline import evidence
from ecs_pipeline.model import Service, Task, TaskDefinition, group_name
from ecs_pipeline.run import Run
from ecs_pipeline.steps.traffic import Seen, targets_seen
from ecs_pipeline.wait import StepBroken, duration

INTERVAL = 5.0
"""Seconds between two looks at tasks and targets."""


@dataclass
class Bake:
    """Watches tasks, container health and targets."""

    run: Run
    service: Service
    tasks: Sequence[Task]
    revision: TaskDefinition
    container: str

    def watch(self, seconds: float) -> None:
        """Look again and again until the time is over. Raises StepBroken with what broke."""
        start = self.run.clock.now()
        delay = self._slow_start() + self.run.settings.canary.initial_delay if seconds else 0.0
        if delay:
            self.run.recorder.progress(f"first {duration(delay)} for slow start and initial delay")
        end = start + delay + seconds
        while True:
            self._look()
            left = end - self.run.clock.now()
            if left <= 0:
                return
            self.run.clock.sleep(min(INTERVAL, left))

    def _look(self) -> None:
        seen = targets_seen(self.run, self.tasks, self.service, anomalies=True)
        for one in evidence.stopped(seen.tasks):
            lines = evidence.of_task(self.run, one, self.revision, self.container)
            raise StepBroken(f"the canary task stopped: {evidence.first_cause(one)}", evidence=lines)
        if len(seen.tasks) < len(self.tasks):
            raise StepBroken("a canary task is gone")
        self._judge_health(seen)

    def _judge_health(self, seen: Seen) -> None:
        for task in seen.tasks:
            if task.health == "UNHEALTHY":
                lines = evidence.of_task(self.run, task, self.revision, self.container)
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
        groups = [self.run.elb.target_group(one.target_group) for one in self.service.load_balancing]
        return float(max((one.slow_start for one in groups if one), default=0))
