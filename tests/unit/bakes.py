"""A bake of a canary in memory, and what happens while it lasts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ecs_pipeline.checks.subject import Subject
from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.release import Service, Task, TaskDefinition
from ecs_pipeline.steps.bake import Bake
from tests.fakes.ports import new_run
from tests.fakes.world import World
from tests.unit.canary_world import take, traffic_step


def baking(world: World, settings: dict[str, Any] | None = None) -> Bake:
    """The bake of a canary that takes traffic."""
    step = traffic_step(world)
    take(step)
    run = replace(new_run(world, "canary", ["bake"], settings), clock=step.run.clock)
    return watching(run, step.service, step.tasks, step.revision)


def watching(run: Run, service: Service, tasks: Sequence[Task], revision: TaskDefinition) -> Bake:
    return Bake(Subject(run, service, tasks, revision, "app", run.clock.wall()))


def on(bake: Bake, **adapters: Any) -> Bake:
    """The same bake with another adapter."""
    return Bake(replace(bake.subject, run=replace(bake.run, **adapters)))


def watched(bake: Bake, seconds: float) -> float:
    """How long it took."""
    begun = bake.run.clock.now()
    bake.watch(seconds)
    return bake.run.clock.now() - begun


def later(world: World, seconds: float, act: Callable[[], None]) -> None:
    """Do something once so much time is over."""
    at = world.now + seconds

    def hook(when: str, _call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if when == "before" and world.now >= at:
            act()

    world.hook = hook
