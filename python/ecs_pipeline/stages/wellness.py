"""Whether a judged canary may be promoted still: `promote` refuses what `canary` then puts right."""

from __future__ import annotations

from collections.abc import Sequence

from ecs_pipeline.load_balancing import group_name
from ecs_pipeline.look import Look
from ecs_pipeline.model import Revision, Task, judged_tasks
from ecs_pipeline.run import Run
from ecs_pipeline.steps.traffic import Seen


def problems(run: Run, seen: Look, canaries: Sequence[Task], health: Seen) -> list[str]:
    """What has befallen a canary since it was judged, a line each; [] when it is what was judged.

    `health` are its tasks and targets as they are now.
    """
    running = [task for task in health.tasks if task.alive and task.status == "RUNNING"]
    found = [f"task {task.id} is {task.status}" for task in health.tasks if task not in running]
    missing = judged_tasks(canaries) - len(canaries)
    found += [f"{missing} of its tasks stopped", *_seconds(seen)] if missing > 0 else []
    found += [f"task {task.id} is UNHEALTHY" for task in running if task.health == "UNHEALTHY"]
    for target in health.targets:
        state = health.of(target)
        if state is None or state.state != "healthy":
            found.append(f"target {target} is {state.state if state else 'not registered'}")
    lost = dict.fromkeys(task.revision for task in canaries if not seen.revisions[task.revision].active)
    found += [f"{Revision(arn).name} was deregistered" for arn in lost]
    groups = [entry.target_group for entry in seen.service.load_balancing]
    found += [
        f"target group {group_name(group)} was deleted" for group in groups if run.elb.target_group(group) is None
    ]
    if not found and (not health.tasks or len(health.tasks) < len(canaries)):
        found.append("its task is gone")
    return found


def _seconds(seen: Look) -> list[str]:
    """Tasks that have the number of another one."""
    return [f"of task {task.id}: {seen.refusal(task)}" for task in seen.seconds]
