"""Canary tasks on a world in memory: steps as the stage makes them, and what they have done to the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from ecs_pipeline.engine.converge import converge
from ecs_pipeline.model.release import CANARY, Epoch, Task
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.protocol.fence import Fence
from ecs_pipeline.steps.tasks import Created, TasksStep
from ecs_pipeline.steps.traffic import Seen, TrafficStep
from ecs_pipeline.timing.wait import Deadline
from tests.fakes.names import definition_with
from tests.fakes.ports import new_run
from tests.fakes.resources import FakeTask
from tests.fakes.schedule import Killed
from tests.fakes.world import World

STEPS = ("tasks", "healthy", "traffic", "bake")


def revision_of(world: World, release: str, epoch: Epoch | None = None, image: str = "") -> str:
    """A new revision that belongs to a release."""
    tags = {release_tags.RELEASE: release, release_tags.EPOCH: release_tags.epoch_value(epoch or Epoch())}
    return world.register(definition_with(image or f"image:{release}"), tags)


def tasks_step(world: World, release: str = "A", count: int = 1, revision: str = "") -> TasksStep:
    """The step of a process that has just looked."""
    run = new_run(world, "canary", STEPS)
    seen = run.ecs.service()
    whole = run.definitions.get(revision or revision_of(world, release, seen.marks.epoch))
    return TasksStep(run, Fence(run.ecs, run.clock, seen), seen, whole, "app", count, Created())


def start(step: TasksStep, within: float = 120) -> list[Task]:
    """Carry the step out."""
    step.deadline = Deadline.after(step.run.clock, within)
    return converge(step, step.run, step.deadline)


def traffic_step(world: World, count: int = 1, **service: Any) -> TrafficStep:
    """The step behind running tasks."""
    before = tasks_step(world, count=count)
    tasks = start(before)
    world.log.clear()
    fence = Fence(before.run.ecs, before.run.clock, before.run.ecs.service())
    return TrafficStep(before.run, fence, replace(before.service, **service), tasks, before.revision, "app")


def take(step: TrafficStep, within: float = 60) -> Seen:
    """Carry the step out."""
    return converge(step, step.run, Deadline.after(step.run.clock, within))


def tokens(world: World) -> list[str]:
    """The clientTokens that RunTask was called with."""
    return [str(detail) for _, name, detail in world.log if name == "RunTask"]


def first_token(world: World, index: int = 0) -> str:
    """The token of a number when no task was ever started in this epoch."""
    found = world.service_facts()
    return decide.first_token(found.label, found.marks.epoch, CANARY, index)


def only(world: World) -> FakeTask:
    """The one task that lives."""
    (found,) = world.alive()
    return found


def recorded(tags: Mapping[str, str]) -> list[tuple[str, int]]:
    """The addresses that tags record."""
    return [(target.identity, target.port) for target in release_tags.parse_service(tags).targets]


def at(world: World, moment: str, call: str, act: Callable[[], object]) -> None:
    """Do something before or after each call of that name."""

    def hook(when: str, name: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (when, name) == (moment, call):
            act()

    world.hook = hook


def once(world: World, moment: str, call: str, act: Callable[[], object]) -> None:
    """Do something before or after the first call of that name only."""
    left = [act]
    at(world, moment, call, lambda: left.pop()() if left else None)


def kill_at(
    world: World, moment: str, call: str, stage: Callable[[], object], *, tasks: int = 0, count: int = 1
) -> None:
    """SIGKILL to a stage before or after its first call of that name, or the `count`th, once so many tasks live."""
    left = [count]

    def hook(when: str, name: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (when, name) != (moment, call) or len(world.alive()) < tasks:
            return
        left[0] -= 1
        if not left[0]:
            world.hook = lambda _when, _name, _write: None
            raise Killed

    world.hook = hook
    with pytest.raises(Killed):
        stage()


def dies(world: World, number: int = 0) -> None:
    """A canary task ends by itself."""
    world.stop_task(world.alive()[number].arn, "Essential container in task exited", "EssentialContainerExited")
    world.schedule.now += world.delays.stop + 1
