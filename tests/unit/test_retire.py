"""The safety order stands in one place: out of the traffic, drained, stopped."""

from __future__ import annotations

import pytest

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.load_balancing import Registration, Target
from ecs_pipeline.steps.removal import plainly
from ecs_pipeline.steps.retire import RetireStep, targets_of
from tests.fakes.names import GROUP
from tests.fakes.ports import new_run
from tests.fakes.state import WRITES
from tests.fakes.world import World
from tests.unit.canary_world import at
from tests.unit.protocol.simulation import start_of


@pytest.fixture
def world() -> World:
    """The canary of A lives; a target drains for three seconds."""
    return start_of("A is a canary")


def canary_of(world: World) -> tuple[RetireStep, Run]:
    run = new_run(world, "rollback", ["drain", "cleanup"], {"rollback": {"drain": "1s"}})
    return RetireStep(run, plainly, "why"), run


def test_a_task_is_stopped_only_when_its_target_is_gone(world: World) -> None:
    retire, run = canary_of(world)
    seen = run.observer.snapshot()
    left: list[int] = []
    at(world, "before", "StopTask", lambda: left.append(len(world.targets)))
    RetireStep(run, plainly, "why", whole_drain=True).carry_out(
        seen.canaries, targets_of(run, seen.canaries, seen.service)
    )
    assert left == [0]
    assert [name for _, name, _ in world.log if name in WRITES][-2:] == ["DeregisterTargets", "StopTask"]
    assert retire.run.ecs.tasks([seen.canaries[0].arn])[0].status == "STOPPED"


def test_the_drain_of_the_config_bounds_the_way_back_alone(world: World) -> None:
    retire, run = canary_of(world)
    seen = run.observer.snapshot()
    begun = world.now
    retire.leave(targets_of(run, seen.canaries, seen.service))
    assert world.now - begun < world.delays.drain


def test_what_must_come_while_the_tags_are_there_comes_before_stop_task(world: World) -> None:
    retire, run = canary_of(world)
    seen = run.observer.snapshot()
    tags: list[bool] = []
    targets = targets_of(run, seen.canaries, seen.service)
    arn = seen.canaries[0].arn
    retire.carry_out(
        seen.canaries,
        targets,
        before_stop=lambda: tags.append(bool(world.tasks[arn].tags)),
        steps=run.recorder.step,
        why="because",
    )
    assert tags == [True]
    assert world.tasks[arn].tags == {}
    messages = [run.recorder.record.step(name).message for name in ("drain", "cleanup")]
    assert messages == [f"out of the traffic: {targets[0]}", f"stopped: {seen.canaries[0].id}; because"]


def test_those_that_drain_already_are_waited_for_and_not_deregistered(world: World) -> None:
    retire, run = canary_of(world)
    seen = run.observer.snapshot()
    unowned = Target(GROUP, "10.0.0.99", 8000)
    world.targets[unowned.key] = (world.now, None)
    before = len(world.writes())
    left = retire.leave(
        targets_of(run, seen.canaries, seen.service),
        going=[],
        registrations=[Registration(unowned, draining=False, owner="")],
    )
    assert left.unowned == [unowned]
    assert world.writes()[before:] == ["DeregisterTargets"]
    assert unowned.key not in world.registered()
