"""Canary tasks whose revision somebody deregistered: they cannot be promoted, so others take their place."""

from __future__ import annotations

from dataclasses import replace

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Revision
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.protocol.snapshot import Snapshot
from ecs_pipeline.steps.retire import RetireStep, targets_of


def retire(run: Run, fence: Fence, seen: Snapshot) -> Snapshot:
    """Take these tasks out of the traffic and stop them; the snapshot after it. Their revision is made anew later."""
    lost = [task for task in seen.canaries if not seen.revisions[task.revision].active]
    if not lost:
        return seen
    names = ", ".join(sorted({Revision(task.revision).name for task in lost}))
    run.recorder.progress(f"{names} of the canary was deregistered: the canary is started anew")
    retire = RetireStep(run, fence.write, f"ecs-pipeline: {names} was deregistered")
    if retire.carry_out(lost, targets_of(run, lost, seen.service)):
        return run.observer.snapshot()
    return replace(seen, tasks=tuple(task for task in seen.tasks if task not in lost))
