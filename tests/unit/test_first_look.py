"""A rollback that acts on the look before its epoch: a task that came into the traffic since then is drained first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ecs_pipeline.protocol import release_tags
from tests.fakes.world import World
from tests.unit.canary_world import at, once
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import End, canary, rollback


def calls_of(world: World, act: Callable[[], End]) -> list[str]:
    """The calls of a stage that ends well."""
    before = len(world.log)
    assert act().code == 0
    return [name for _, name, _ in world.log[before:]]


def stopped_in_traffic(world: World, when: str, call: str, act: Callable[[], object]) -> list[bool]:
    """Of each StopTask: whether a living task takes traffic at that moment."""
    found: list[bool] = []
    left = [act]

    def hook(moment: str, name: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (moment, name) == (when, call) and left:
            left.pop()()
        if (moment, name) == ("before", "StopTask"):
            found.append(bool(set(world.registered()) & {(task.address, 8000) for task in world.alive()}))

    world.hook = hook
    end = rollback(world)
    assert end.code == 0, end.text
    return found


def test_a_canary_that_is_registered_before_the_epoch_begins_is_drained_before_it_stops() -> None:
    """Its process looked, registered and was answered before the rollback's TagResource: no late write at all."""
    world = start_of("A is a canary")
    (target,) = world.registered()
    del world.targets[target]
    found = stopped_in_traffic(
        world, "before", "TagResource", lambda: world.targets.update({target: (world.now, None)})
    )
    assert found == [False]


def test_one_of_two_that_gets_its_address_before_the_epoch_begins_is_drained_before_it_stops() -> None:
    """The look saw the second task PENDING; the first one's drain, minutes long, is no reason to stop the second."""
    world = start_of("P runs")
    settings = {"canary": {"bake": "2s", "healthy_within": "30s", "tasks": 2}}
    assert canary(world, settings=settings).code == 0
    first, second = world.registered()
    del world.targets[second]
    task = next(task for task in world.alive() if task.address == second[0])
    task.created = world.now + 1000

    def up() -> None:
        task.created = world.now - 10
        world.targets[second] = (world.now, None)

    found = stopped_in_traffic(world, "before", "TagResource", up)
    assert first not in world.targets
    assert found == [False, False]


def test_an_address_that_is_used_again_is_left_alone_when_the_epoch_was_taken_back() -> None:
    """The look before the epoch stops the canary; a minute later its address is not its any more."""
    world = start_of("A is a canary")
    ((address, _),) = world.registered()
    left = [1]

    def hook(when: str, name: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (when, name) == ("after", "TagResource") and left:
            left.pop()
            world.service_tags[release_tags.EPOCH] = "0/"
        if (when, name) == ("after", "StopTask") and len(world.service_tasks) == world.desired:
            world.service_tasks.append((world.now + 20, address))

    world.hook = hook
    rollback(world)
    owned = [detail for _, name, detail in world.log if name == "DeregisterTargets" and (address, 8000) in detail]
    assert len(owned) == 1


def test_a_target_that_came_in_since_the_look_is_not_waited_for_but_taken_out() -> None:
    """It is watched until it is out; nobody but this rollback takes it out."""
    world = start_of("P runs")
    settings = {"canary": {"bake": "2s", "healthy_within": "30s", "tasks": 2}}
    assert canary(world, settings=settings).code == 0
    _, second = world.registered()
    del world.targets[second]
    left: dict[str, float] = {}

    def hook(when: str, name: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (when, name) == ("before", "TagResource") and "in" not in left:
            left["in"] = world.now
            world.targets[second] = (world.now, None)
        if (when, name) == ("after", "DeregisterTargets") and second not in world.registered():
            left.setdefault("out", world.now)

    world.hook = hook
    assert rollback(world).code == 0
    assert left["out"] - left["in"] <= world.delays.drain + 1


def test_a_look_that_took_long_is_not_fresh_at_its_end() -> None:
    """Its tasks and the service are as old as its first call, not as its last."""
    world = start_of("A is a canary")
    once(world, "before", "DescribeTargetHealth", lambda: setattr(world.schedule, "now", world.now + 30))
    calls = calls_of(world, lambda: rollback(world))
    assert calls[calls.index("TagResource") + 1] == "ListTasks"


def test_a_canary_leaves_as_soon_as_the_epoch_is_written() -> None:
    world = start_of("A is a canary")
    calls = calls_of(world, lambda: rollback(world))
    first = calls.index("TagResource")
    assert calls[first + 1] == "DeregisterTargets"
    assert "ListTasks" not in calls[first : calls.index("StopTask")]


def test_the_service_is_sent_back_as_soon_as_the_epoch_is_written() -> None:
    calls = calls_of(world := start_of("A is promoted"), lambda: rollback(world, release="A"))
    assert calls[calls.index("TagResource") + 1 :][:2] == ["DescribeServices", "UpdateService"]


@pytest.mark.parametrize("start", ["A is a canary", "A is promoted"])
def test_a_look_that_is_not_fresh_any_more_is_made_again(start: str) -> None:
    world = start_of(start)
    at(world, "after", "TagResource", lambda: setattr(world.schedule, "now", world.now + 5))
    calls = calls_of(world, lambda: rollback(world, release="A"))
    assert calls[calls.index("TagResource") + 1] == "ListTasks"


def test_a_task_that_a_late_write_registers_again_is_not_stopped_in_the_traffic() -> None:
    world, late = start_of("A is a canary"), [1]
    (target,) = world.registered()
    found: list[bool] = []

    def hook(when: str, name: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (when, name) == ("after", "DeregisterTargets") and late:
            late.pop()
            world.targets[target] = (world.now, None)
        if (when, name) == ("before", "StopTask"):
            found.append(target in world.targets)

    world.hook = hook
    calls = calls_of(world, lambda: rollback(world))
    assert (found, calls.count("DeregisterTargets"), calls.count("StopTask")) == ([False], 2, 1)
