"""The canary leaves the traffic while the old tasks still drain: promote waits for the deregistration delay once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.load_balancing import Target
from ecs_pipeline.model.release import Service, Task
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.steps import removal
from ecs_pipeline.steps.retire import RetireStep
from ecs_pipeline.steps.traffic import Seen, targets_of_arns

ASKED_EVERY = 4.0
"""Seconds between two questions about the health of the new tasks: those that all run are healthy soon."""


@dataclass
class EarlyDrain:
    """Deregisters the targets of `tasks` once the new tasks of a rollout are healthy in every target group.

    As many of the service's tasks as it is to have do the canary's work then. The canary's tasks run on: what stops
    them comes after the rollout. `left` are the targets that went.
    """

    run: Run
    fence: Fence
    revision: str
    tasks: Sequence[Task]
    left: list[Target] = field(default_factory=list, init=False)
    _over: bool = field(default=False, init=False)
    _asked_at: float | None = field(default=None, init=False)
    _new: Sequence[str] = field(default=(), init=False)

    def look_in(self, service: Service) -> None:
        """Ask for the health of the new tasks when ECS shows that all of them run; then deregister, through the fence.

        Raises EpochChanged.
        """
        if self._over or not self.tasks or not self._all_run(service) or not self._due():
            return
        seen = self._observe(service)
        new = [task for task in seen.tasks if task.arn in self._new and self._serves(task, service, seen)]
        if len(new) >= service.desired:
            self._over = True
            self._leave(seen)

    def _all_run(self, service: Service) -> bool:
        """Whether ECS counts as many running tasks of the revision as the service is to have."""
        primary = service.primary
        if primary is None or primary.revision != self.revision or not service.load_balancing:
            return False
        return 0 < service.desired <= primary.running

    def _due(self) -> bool:
        now = self.run.clock.now()
        due = self._asked_at is None or now - self._asked_at >= ASKED_EVERY
        self._asked_at = now if due else self._asked_at
        return due

    def _observe(self, service: Service) -> Seen:
        """The new tasks and the canary's with their targets; tasks are listed anew as long as one is missing."""
        self._new = self._new or self.run.ecs.arns_of_service()
        seen = targets_of_arns(self.run, [*self._new, *(task.arn for task in self.tasks)], service)
        running = [task for task in seen.tasks if task.arn in self._new and self._runs(task)]
        self._new = [task.arn for task in running] if len(running) >= service.desired else []
        return seen

    def _runs(self, task: Task) -> bool:
        return task.revision == self.revision and task.alive and task.status == "RUNNING"

    def _serves(self, task: Task, service: Service, seen: Seen) -> bool:
        """Whether the task's target is healthy in every target group of the service."""
        health = [seen.of(target) for target in seen.targets if target.task == task.arn]
        healthy = [target for target in health if target and target.state == "healthy"]
        return task.health != "UNHEALTHY" and len(healthy) == len(service.load_balancing)

    def _leave(self, seen: Seen) -> None:
        canary = {task.arn for task in self.tasks}
        self.left = [target for target in seen.targets if target.task in canary and seen.of(target)]
        if not self.left:
            return
        with self.run.recorder.step("drain") as step:
            self.run.recorder.progress("the new tasks are healthy: the canary leaves while the old ones drain")
            RetireStep(self.run, self.fence.write).deregister(self.left)
            step.message = removal.told(self.left)
