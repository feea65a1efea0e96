"""Whether a judged canary may be promoted still: `promote` refuses what `canary` then puts right."""

from __future__ import annotations

from collections.abc import Sequence

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.load_balancing import group_name
from ecs_pipeline.model.release import Revision, Task
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.traffic import Seen


def problems(run: Run, seen: Snapshot, canaries: Sequence[Task], health: Seen) -> list[str]:
    """What has befallen a canary since it was judged, a line each; [] when it is what was judged.

    `health` are its tasks and targets as they are now.
    """
    running = [task for task in health.tasks if task.alive and task.status == "RUNNING"]
    found = [f"task {task.id} is {task.status}" for task in health.tasks if task not in running]
    found += _missing(seen)
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


def _missing(seen: Snapshot) -> list[str]:
    """Fewer tasks than were judged together; a task that has the number of another one does not count."""
    missing = seen.first.judged_tasks - len(seen.canaries) if seen.first else 0
    if seen.first is None or missing <= 0:
        return []
    judged = f"{seen.first.judged_tasks} were judged, says a tag of task {seen.first.id}"
    seconds = [f"of task {task.id}: {seen.refusal(task)}" for task in seen.seconds]
    return [f"{missing} of its tasks stopped ({judged})", *seconds]
