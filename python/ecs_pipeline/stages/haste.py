"""A verdict that cannot be true: by AWS' own times its task has not run as long as the bake takes."""

from __future__ import annotations

from ecs_pipeline.look import Look
from ecs_pipeline.model import PASS
from ecs_pipeline.run import Run
from ecs_pipeline.wait import duration

LEEWAY = 5.0
"""Seconds by which the clock of AWS may be wrong here: its answers tell whole seconds, and take their time."""


def hasty(run: Run, seen: Look) -> str:
    """Why the verdict of the canary counts for none; '' when it may be true, or when there is none.

    Anybody may write the tag of a verdict, nobody `startedAt` (DescribeTasks). A task that was replaced has run through
    the last size only, and an inconclusive verdict may be of any. A bake that is longer in the config than it was when
    the verdict was written is to be repeated, until the task is as old as that.
    """
    task = seen.first
    if task is None or not task.verdict:
        return ""
    bakes = [size.bake or 0.0 for size in run.settings.canary.sizes]
    needed = bakes[-1] if task.verdict == PASS else min(bakes)
    runs_for = (run.aws_time() - (task.started or task.created)).total_seconds()
    if runs_for + LEEWAY >= needed:
        return ""
    return f"task {task.id} runs for {duration(max(runs_for, 0.0))} only, and the bake takes {duration(needed)}"
