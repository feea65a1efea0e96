"""What the end of a canary's task means: its own fault, or AWS took it away, which is no fault of the release."""

from __future__ import annotations

from collections.abc import Sequence

from ecs_pipeline.engine import evidence
from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import TakenAway
from ecs_pipeline.model import stops
from ecs_pipeline.model.release import CANARY, Task, TaskDefinition
from ecs_pipeline.timing.wait import Broken


def ended(run: Run, task: Task, revision: TaskDefinition, container: str, role: str = CANARY) -> Broken:
    """Why a task stopped. Raises TakenAway when AWS itself took a canary's; a baseline is not replaced."""
    if role == CANARY:
        refuse_taken_away([task])
    why = evidence.first_cause(task, revision, container)
    return Broken(f"the {role} task stopped: {why}", evidence.of_task(run, task, revision, container))


def refuse_taken_away(tasks: Sequence[Task]) -> None:
    """Raises TakenAway for the first task that AWS took away."""
    for task in evidence.stopped(tasks):
        why = stops.taken_away(task)
        if why:
            raise TakenAway(task.arn, f"AWS took the canary task {task.id} away ({why})")
