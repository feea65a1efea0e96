"""A promote that died when the service ran its release already: what is left of the canary goes, the service stays."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.protocol import release_tags
from tests.fakes.world import World
from tests.unit.canary_world import dies, kill_at
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import canary, promote, rollback, serving

PLACES = [("before", "StopTask"), ("before", "DeregisterTargets")]


def died_at(moment: str, call: str) -> World:
    """Release A's promote was killed there."""
    world = start_of("A is a canary")
    kill_at(world, moment, call, lambda: promote(world, release="A"))
    return world


@pytest.mark.parametrize("place", PLACES, ids=" ".join)
@pytest.mark.parametrize("options", [{}, {"release": "A"}], ids=["plain", "of the release"])
def test_rollback_canary_takes_the_canary_away_and_leaves_the_service_alone(
    place: tuple[str, str], options: dict[str, Any]
) -> None:
    world = died_at(*place)
    (task,) = world.alive()
    end = rollback(world, canary_only=True, **options)
    assert (end.code, serving(world), world.alive(), world.registered()) == (0, "web:3", [], [])
    assert not {"UpdateService", "TagResource", "DeregisterTaskDefinition"} & {*end.writes}
    assert end.message("preflight").endswith(f"stop task {task.arn.rpartition('/')[2]}")
    assert rollback(world, canary_only=True, **options).writes == []
    world.schedule.now += world.delays.rollout
    assert promote(world, release="A").code == 0
    assert not list(clean(world))


def test_rollback_canary_of_another_release_leaves_it() -> None:
    world = died_at("before", "StopTask")
    end = rollback(world, canary_only=True, release="B")
    assert (end.code, end.writes, len(world.alive())) == (0, [], 1)


def test_a_dry_run_says_so_and_does_nothing() -> None:
    world = died_at("before", "StopTask")
    end = rollback(world, canary_only=True, dry_run=True)
    assert (end.code, end.writes) == (0, [])
    assert end.run.recorder.record.plan == [f"stop task {world.alive()[0].arn.rpartition('/')[2]}"]


def test_the_next_release_replaces_the_canary_and_not_the_service() -> None:
    world = died_at("before", "StopTask")
    end = canary(world, release="B", replace=True)
    assert (end.code, serving(world)) == (0, "web:3")
    assert [task.tags[release_tags.RELEASE] for task in world.alive()] == ["B"]
    assert not {"UpdateService", "DeregisterTaskDefinition"} & {*end.writes}
    assert (promote(world, release="B").code, serving(world), world.alive()) == (0, "web:4", [])


def test_a_plain_rollback_still_takes_the_release_back() -> None:
    world = died_at("before", "StopTask")
    assert (rollback(world).code, serving(world), world.alive()) == (0, "web:2", [])


@pytest.mark.parametrize("place", [("before", "UpdateService"), ("after", "UpdateService")], ids=" ".join)
def test_a_promotion_whose_rollout_is_not_over_goes_with_its_canary(place: tuple[str, str]) -> None:
    world = died_at(*place)
    assert (rollback(world, canary_only=True).code, serving(world), world.alive()) == (0, "web:2", [])
    assert not list(clean(world))


def test_a_baseline_that_is_left_alone_goes_without_the_service() -> None:
    world = start_of("P runs")
    canary(world, release="A", settings={"canary": {"baseline": True, "bake": "2s", "healthy_within": "30s"}})
    kill_at(world, "before", "DeregisterTargets", lambda: promote(world, release="A"))
    dies(world, next(at for at, task in enumerate(world.alive()) if task.tags[release_tags.ROLE] == "canary"))
    assert (rollback(world, canary_only=True).code, serving(world), world.alive()) == (0, "web:3", [])
