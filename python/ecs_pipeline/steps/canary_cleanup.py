"""The tasks of a promoted canary stopped, once they take no traffic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ecs_pipeline.engine.converge import WritingStep
from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Task
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.steps.retire import RetireStep


@dataclass
class CanaryCleanup(WritingStep["list[Task]"]):
    """Stops `tasks`, in their order: the canary's last."""

    run: Run
    fence: Fence
    tasks: Sequence[Task]
    name = "cleanup"

    def observe(self) -> list[Task]:
        """Those of them that live."""
        arns = [task.arn for task in self.tasks]
        known = {task.arn: task for task in (self.run.ecs.tasks(arns) if arns else ())}
        return [known[arn] for arn in arns if arn in known and known[arn].alive]

    def decide(self, seen: list[Task]) -> Sequence[str]:
        """Stop each."""
        return [f"stop task {task.id}" for task in seen]

    def act(self, seen: list[Task]) -> str:
        """StopTask, then wait until all of them have stopped. Raises EpochChanged."""
        RetireStep(self.run, self.fence.write, "ecs-pipeline: promoted").stop(seen, self.tasks)
        return f"stopped: {', '.join(task.id for task in self.tasks)}" if self.tasks else "unchanged"
