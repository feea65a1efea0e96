"""Stages with all their options on a world in memory: how they ended, what they said, what they wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ecs_pipeline.engine.run import Origin, Run
from ecs_pipeline.errors import PipelineError
from ecs_pipeline.plans.approval import Approved
from ecs_pipeline.plans.canary_request import CanaryOptions
from ecs_pipeline.plans.promote import PromoteOptions
from ecs_pipeline.plans.rollback_scope import Options as RollbackOptions
from ecs_pipeline.stages import canary as canary_stage
from ecs_pipeline.stages import promote as promote_stage
from ecs_pipeline.stages import rollback as rollback_stage
from tests.fakes.names import names
from tests.fakes.ports import new_run
from tests.fakes.world import World

APPROVED = ("digest", "epoch", "task_definition")
QUICK = {"canary": {"bake": "2s", "healthy_within": "30s"}, "promote": {"stable_within": "60s"}}


@dataclass(frozen=True)
class End:
    """How a stage ended; `writes` are the writing calls that it made."""

    code: int
    text: str
    run: Run
    writes: list[str]

    @property
    def release(self) -> str:
        """The id of the release that it was about."""
        return self.run.recorder.record.release.id

    def message(self, step: str) -> str:
        """What a step said."""
        return self.run.recorder.record.step(step).message


def canary(world: World, origin: Origin | None = None, *, dry_run: bool = False, **options: Any) -> End:
    """The canary stage; `settings` are those of the config, `session` is AWS' one."""
    run = _run(world, "canary", canary_stage.STEPS, options, dry_run=dry_run)
    run = replace(run, origin=origin or Origin())
    return _ended(world, run, lambda: canary_stage.canary(run, CanaryOptions(**options)))


def promote(world: World, *, dry_run: bool = False, **options: Any) -> End:
    """The promote stage; `digest`, `epoch` and `task_definition` are what was approved."""
    run = _run(world, "promote", promote_stage.STEPS, options, dry_run=dry_run)
    approved = Approved(**{name: options.pop(name) for name in APPROVED if name in options})
    wanted = PromoteOptions(approved=approved, **options)
    return _ended(world, run, lambda: promote_stage.promote(run, wanted))


def rollback(world: World, *, dry_run: bool = False, **options: Any) -> End:
    """The rollback stage."""
    run = _run(world, "rollback", rollback_stage.STEPS, options, dry_run=dry_run)
    return _ended(world, run, lambda: rollback_stage.rollback(run, RollbackOptions(**options)))


def arn_of(world: World, name: str) -> str:
    """The ARN of FAMILY:NUMBER."""
    return next(arn for arn in world.revisions if arn.endswith(f"/{name}"))


def serving(world: World) -> str:
    """What the service runs."""
    return names([world.deployments[0].revision])[0]


def active(world: World) -> list[str]:
    """The revisions that are not deregistered."""
    return names([revision.arn for revision in world.revisions.values() if revision.active])


def _run(world: World, stage: str, steps: Sequence[str], options: dict[str, Any], *, dry_run: bool) -> Run:
    """The run of a stage; takes `settings` and `session` out of its options."""
    settings, session = options.pop("settings", None) or {}, options.pop("session", None)
    return replace(new_run(world, stage, steps, {**QUICK, **settings}), session=session, dry_run=dry_run)


def _ended(world: World, run: Run, body: Callable[[], None]) -> End:
    before = len(world.writes())
    code, text = 0, ""
    try:
        body()
    except PipelineError as error:
        code, text = error.exit_code, str(error)
    return End(code, text, run, world.writes()[before:])
