"""A rollback that is given again ends well only when the service is back, and leaves what an undisturbed one does."""

from __future__ import annotations

import pytest

from tests.fakes.world import World
from tests.unit.canary_world import kill_at, once
from tests.unit.stage_runs import arn_of, canary, promote, rollback

PLACES = [("after", "TagResource"), ("after", "UpdateService"), ("before", "DeregisterTaskDefinition")]


def promoted(*releases: str) -> World:
    """The releases were promoted one after the other: web:2, web:3, …; ECS gives no rollout up by itself."""
    world = World()
    world.breaker = False
    for release in releases:
        assert canary(world, release=release).code == promote(world, release=release).code == 0
    return world


def stuck(world: World) -> None:
    """Nothing comes up any more."""
    world.delays.rollout = 100_000


@pytest.mark.parametrize("killed", [True, False])
def test_to_a_revision_it_waits_for_the_rollout(*, killed: bool) -> None:
    world = promoted("A")
    assert rollback(world).code == 0
    stuck(world)
    if killed:
        kill_at(world, "after", "UpdateService", lambda: rollback(world, to="web:2"))
    else:
        assert rollback(world, to="web:2").code == 4
    assert rollback(world, to="web:2").code == 4
    world.delays.rollout = 1
    world.schedule.now += 100_000
    end = rollback(world, to="web:2")
    assert (end.code, end.writes) == (0, []), end.text


def test_a_plain_one_waits_for_the_rollout_of_the_last_one() -> None:
    world = promoted("A", "B")
    stuck(world)
    assert [rollback(world, to="web:2").code for _ in range(2)] == [4, 4]
    assert rollback(world).code == 4


def test_promote_does_not_say_that_the_service_is_as_before() -> None:
    world = promoted("A", "B")
    stuck(world)
    assert rollback(world, to="web:2").code == 4
    end = promote(world)
    assert end.code == 4, end.text
    assert "the service does not come back to web:2" in end.text


@pytest.mark.parametrize("place", PLACES, ids=" ".join)
def test_to_a_revision_after_a_death_it_deregisters_the_bad_one(place: tuple[str, str]) -> None:
    world = promoted("A", "B")
    kill_at(world, *place, lambda: rollback(world, to="web:2"))
    assert rollback(world, to="web:2").code == 0
    assert not world.revisions[arn_of(world, "web:3")].active


def test_the_bad_revision_goes_though_its_number_is_the_lower() -> None:
    world = World()

    def another() -> None:
        assert canary(world, release="B").code == promote(world, release="B").code == 0

    once(world, "after", "RegisterTaskDefinition", another)
    assert canary(world, release="A").code == promote(world, release="A").code == 0
    assert "deregister web:2" in rollback(world, dry_run=True).run.recorder.record.plan
    assert rollback(world).code == 0
    assert not world.revisions[arn_of(world, "web:2")].active
