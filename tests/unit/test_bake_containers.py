"""Containers while a canary bakes: one that ended, one that was started anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ecs_pipeline.model.release import Container
from ecs_pipeline.steps.bake import Bake
from ecs_pipeline.timing.wait import StepBroken
from tests.fakes.world import World
from tests.unit.bakes import baking, on, watched


def with_sidecar(bake: Bake) -> Bake:
    """The same with a second container in its revision."""
    whole = bake.subject.revision
    containers = [*whole.definition["containerDefinitions"], {"name": "sidecar", "image": "s", "essential": False}]
    bake.subject.revision = replace(whole, definition={**whole.definition, "containerDefinitions": containers})
    return bake


@pytest.mark.parametrize(
    ("sidecar", "words"),
    [
        (Container("sidecar", "STOPPED", exit_code=137, reason="OutOfMemoryError: killed"), "OutOfMemoryError: killed"),
        (Container("sidecar", "STOPPED", exit_code=2), "exit code 2"),
        (Container("sidecar", "STOPPED", exit_code=0), ""),
    ],
)
def test_a_container_that_ends_with_an_error_ends_it_though_the_task_lives(sidecar: Container, words: str) -> None:
    world = World()
    bake = with_sidecar(baking(world))
    tasks, begun = bake.run.ecs.tasks, world.now

    class Ecs:
        service = staticmethod(bake.run.ecs.service)

        def tasks(self, arns: list[str]) -> Any:
            ended = (sidecar,) if world.now > begun + 7 else ()
            return tuple(replace(task, containers=(*task.containers, *ended)) for task in tasks(arns))

    sick = on(bake, ecs=Ecs())
    if not words:
        assert watched(sick, 30) == pytest.approx(30)
        return
    with pytest.raises(StepBroken, match=rf"^container sidecar of task \w+ ended: {words}$"):
        sick.watch(30)


def test_a_container_that_the_revision_does_not_have_may_end_as_it_likes() -> None:
    """GuardDuty puts its agent into tasks: guide, "Identify unauthorized behavior using Runtime Monitoring"."""
    bake = with_sidecar(baking(World()))
    tasks = bake.run.ecs.tasks
    agent = Container("aws-guardduty-agent-x", "STOPPED", exit_code=1)

    class Ecs:
        service = staticmethod(bake.run.ecs.service)

        def tasks(self, arns: list[str]) -> Any:
            return tuple(replace(task, containers=(*task.containers, agent)) for task in tasks(arns))

    assert watched(on(bake, ecs=Ecs()), 30) == pytest.approx(30)


class Restarting:
    """Tasks of which a container is started anew after seven seconds."""

    def __init__(self, world: World, ecs: Any, container: str) -> None:
        self.service, self._tasks = ecs.service, ecs.tasks
        self._world, self._container, self._begun = world, container, world.now

    def tasks(self, arns: list[str]) -> Any:
        second = self._world.now > self._begun + 7
        others = (Container("sidecar", "RUNNING"), Container(self._container, "RUNNING", runtime_id=f"id-{second}"))
        return tuple(replace(task, containers=(Container("app", "RUNNING"), *others)) for task in self._tasks(arns))


def test_an_app_that_ecs_started_anew_ends_it_though_its_task_lives() -> None:
    """By another runtime id. No real part shows one: ministack's containers and those of ECS' own agent keep theirs."""
    world = World()
    bake = baking(world)
    sick = on(bake, ecs=Restarting(world, bake.run.ecs, "app"))
    with pytest.raises(StepBroken, match=r"^container app of task \w+ was restarted$") as caught:
        sick.watch(30)
    assert "  the last line" in caught.value.evidence


def test_another_container_that_was_started_anew_is_only_shown() -> None:
    world = World()
    bake = baking(world)
    said: list[str] = []
    bake.run.recorder.progress = said.append  # type: ignore[method-assign,assignment]
    assert watched(on(bake, ecs=Restarting(world, bake.run.ecs, "proxy")), 30) == pytest.approx(30)
    assert len(said) == 1
    assert said[0].startswith("container proxy of task ")
    assert "was restarted: shown only" in said[0]


@pytest.mark.parametrize("usual", [False, True])
def test_one_that_ended_with_an_error_before_the_bake_may_only_when_those_of_the_service_do_too(*, usual: bool) -> None:
    """A bake that was cut short and starts over must not pass over what died meanwhile."""
    world = World()
    bake = with_sidecar(baking(world))
    tasks = bake.run.ecs.tasks
    ended = Container("sidecar", "STOPPED", exit_code=1)
    own = replace(bake.subject.canary[0], arn="arn:task/prd/own", containers=(ended,) if usual else ())

    class Ecs:
        service = staticmethod(bake.run.ecs.service)

        def arns_of_service(self) -> list[str]:
            return [own.arn]

        def tasks(self, arns: list[str]) -> Any:
            if arns == [own.arn]:
                return (replace(own, revision=bake.subject.service.revision),)
            return tuple(replace(task, containers=(*task.containers, ended)) for task in tasks(arns))

    sick = on(bake, ecs=Ecs())
    if usual:
        assert watched(sick, 30) == pytest.approx(30)
        return
    with pytest.raises(StepBroken, match=r"^container sidecar of task \w+ ended: exit code 1$"):
        sick.watch(30)
