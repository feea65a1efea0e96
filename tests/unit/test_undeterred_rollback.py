"""What somebody forges keeps no rollback from its work, and nothing good goes on the word of it."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline import marks
from ecs_pipeline.model import Turn
from tests.fakes.world import World, names
from tests.unit.canary_world import at, kill_at
from tests.unit.intruder import forge
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary, promote, rollback


def arn_of(world: World, name: str) -> str:
    return next(arn for arn in world.revisions if arn.endswith(f"/{name}"))


def serving(world: World) -> str:
    return names([world.deployments[0].revision])[0]


def gone_back_by_name() -> World:
    """P (web:2), A (web:3) and B (web:4) were promoted, then `rollback --to web:2` came."""
    world = start_of("A is promoted")
    assert canary(world, release="B").code == promote(world, release="B").code == 0
    assert rollback(world, to="web:2").code == 0
    assert (serving(world), world.revisions[arn_of(world, "web:3")].active) == ("web:2", True)
    return world


def forge_of_the_past(world: World) -> None:
    """A task of the good revision web:3, with the tags of its release and epoch."""
    if not any(task.token == "past" for task in world.tasks.values()):
        tags = {marks.TURN: marks.turn_value(Turn())}
        forge(world, "A", arn_of(world, "web:3"), token="past", tags=tags)


@pytest.mark.parametrize("options", [{}, {"canary_only": True}, {"to": "web:1"}])
def test_a_good_revision_stays_though_a_task_of_it_is_swept(options: dict[str, Any]) -> None:
    world = gone_back_by_name()
    forge_of_the_past(world)
    world.schedule.now += 30
    end = rollback(world, **options)
    assert (end.code, world.alive()) == (0, []), end.text
    assert world.revisions[arn_of(world, "web:3")].active, end.writes


def test_a_good_revision_stays_though_a_failing_canary_sweeps_a_task_of_it() -> None:
    world = gone_back_by_name()
    world.delays.healthy = 1000
    at(world, "after", "RegisterTargets", lambda: forge_of_the_past(world))
    assert canary(world, release="C").code == 1
    assert (world.alive(), world.revisions[arn_of(world, "web:3")].active) == ([], True)


@pytest.mark.parametrize("call", ["StopTask", "DeregisterTaskDefinition"])
def test_what_a_killed_rollback_left_is_deregistered_by_the_next(call: str) -> None:
    world = start_of("A is a canary")
    kill_at(world, "before", call, lambda: rollback(world))
    assert rollback(world).code == 0
    assert (world.alive(), world.revisions[arn_of(world, "web:3")].active) == ([], False)
