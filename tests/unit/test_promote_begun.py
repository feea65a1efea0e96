"""A promote that died before the service was told: what it goes on with is still what was judged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.schedule import Killed
from tests.fakes.world import REGISTRY, World, digest_of
from tests.unit.canary_world import dies, kill_at
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import canary, promote, rollback
from tests.unit.test_promote_refusals import refused
from tests.unit.test_rollback import active, serving

TWO: dict[str, Any] = {"canary": {"tasks": 2, "bake": "2s", "healthy_within": "30s"}}


def begun() -> World:
    """Promote of A has written its marks and died."""
    world = start_of("A is a canary")
    kill_at(world, "after", "TagResource")
    with pytest.raises(Killed):
        promote(world, release="A")
    return world


def test_it_goes_on_when_the_canary_is_well() -> None:
    world = begun()
    assert (promote(world, release="A").code, serving(world)) == (0, "web:3")
    assert not list(clean(world))


def test_a_canary_that_died_meanwhile_is_refused() -> None:
    world = begun()
    dies(world)
    text = refused(world, release="A")
    assert text.startswith("the canary of release A is not well any more: its task is gone; ")
    assert (rollback(world).code, active(world), serving(world)) == (0, ["web:1", "web:2"], "web:2")


def test_a_canary_that_was_started_again_and_not_judged_is_refused() -> None:
    world = begun()
    dies(world)
    kill_at(world, "after", "RegisterTargets")
    with pytest.raises(Killed):
        canary(world, release="A")
    world.schedule.now += 10
    assert "has no verdict" in refused(world, release="A")
    assert canary(world, release="A").code == 0
    assert (promote(world, release="A").code, serving(world)) == (0, "web:3")


def test_a_canary_that_fails_when_it_is_started_again_is_undone_with_the_marks() -> None:
    world = begun()
    dies(world)
    world.bad_images[f"{REGISTRY}/web@{digest_of('A')}"] = "crash"
    assert canary(world, release="A").code == 1
    assert (active(world), serving(world), world.marks()["release"]) == (["web:1", "web:2"], "web:2", "P")
    assert not list(clean(world))


@pytest.mark.parametrize("number", [0, 1])
def test_of_several_tasks_each_has_to_be_well(number: int) -> None:
    world = start_of("P runs")
    assert canary(world, release="A", settings=TWO).code == 0
    dies(world, number)
    text = refused(world, release="A")
    assert text.startswith("the canary of release A is not well any more: 1 of its tasks stopped") or number == 0
    assert "has no verdict" in text or number == 1


def test_a_canary_that_lost_one_of_its_tasks_is_made_whole_and_judged_again() -> None:
    world = start_of("P runs")
    canary(world, release="A", settings=TWO)
    dies(world, 1)
    assert canary(world, release="A", settings=TWO).code == 0
    assert len(world.alive()) == 2
    assert promote(world, release="A").code == 0
    assert not list(clean(world))
