"""The canary's containers: those with a health check of their own have to be HEALTHY."""

from __future__ import annotations

from dataclasses import dataclass

from ecs_pipeline.engine import evidence
from ecs_pipeline.engine.converge import Step
from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import CANARY, Task, TaskDefinition
from ecs_pipeline.steps.ended import ended
from ecs_pipeline.timing.wait import Judgement, Settled, Waiting

NO_CHECK = "no container health check"


@dataclass
class HealthyStep(Step["tuple[Task, ...]", "tuple[Task, ...]"]):
    """Wait for the container health checks of the essential containers; without any there is nothing to wait for."""

    run: Run
    tasks: list[Task]
    revision: TaskDefinition
    container: str
    role: str = CANARY
    name = "healthy"
    writes = False

    def observe(self) -> tuple[Task, ...]:
        """The tasks as they are now, when they have something to check."""
        return self.run.ecs.tasks([task.arn for task in self.tasks]) if self.checked else tuple(self.tasks)

    def judge(self, seen: tuple[Task, ...]) -> Judgement[tuple[Task, ...]]:
        """No task stopped, every checked container is HEALTHY."""
        for stopped in evidence.stopped(seen):
            return ended(self.run, stopped, self.revision, self.container, self.role)
        if len(seen) < len(self.tasks):
            return Waiting("ECS does not show the task")
        pending = [
            f"{container.name} {container.health}"
            for task in seen
            for container in task.containers
            if container.name in self.checked and container.health != "HEALTHY"
        ]
        return Waiting(f"container health: {', '.join(sorted(set(pending)))}") if pending else Settled(seen)

    def evidence(self) -> list[str]:
        """The task and its log."""
        return evidence.of_tasks(self.run, self.observe(), self.revision, self.container)

    def told(self, result: tuple[Task, ...]) -> str:
        """What was checked."""
        return f"container health checks passed: {', '.join(self.checked)}" if self.checked else NO_CHECK

    @property
    def checked(self) -> list[str]:
        """The names of the essential containers that have a health check."""
        return [
            str(container["name"])
            for container in self.revision.definition["containerDefinitions"]
            if container.get("healthCheck") and container.get("essential", True)
        ]
