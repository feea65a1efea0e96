"""Stages on a world, as a process would run them: what comes back is the exit code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecs_pipeline.engine.run import Run
from ecs_pipeline.errors import PipelineError
from ecs_pipeline.plans.canary_request import CanaryOptions
from ecs_pipeline.plans.rollback_scope import Options as RollbackOptions
from ecs_pipeline.stages import canary, promote, rollback
from tests.fakes.ports import new_run
from tests.fakes.world import World


def run_stage(world: World, command: str, settings: Mapping[str, Any] | None = None) -> int:
    """Run `canary RELEASE`, `promote [RELEASE]`, `rollback [RELEASE]` or `rollback --to REVISION`; the exit code."""
    return stage_of(world, command, settings)[0]


def stage_of(world: World, command: str, settings: Mapping[str, Any] | None = None) -> tuple[int, Run, str]:
    """The same with the run and what it said at its end."""
    name, _, release = command.partition(" ")
    steps = {"canary": canary.STEPS, "promote": promote.STEPS, "rollback": rollback.STEPS}[name]
    run = new_run(world, name, steps, settings)
    try:
        if name == "canary":
            canary.canary(run, CanaryOptions(release=release))
        elif name == "promote":
            promote.promote(run, promote.PromoteOptions(release=release))
        else:
            to = release.removeprefix("--to ") if release.startswith("--to ") else ""
            rollback.rollback(run, RollbackOptions(release="" if to else release, to=to))
    except PipelineError as error:
        return error.exit_code, run, str(error)
    return 0, run, ""
