"""Tasks of a release that another one superseded: never promoted, never in the way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.resources import FakeTask
from tests.fakes.world import World
from tests.unit.canary_world import once
from tests.unit.intruder import evil_revision, forge, the_lock
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import active, canary, promote, rollback, serving


def superseded() -> tuple[World, FakeTask]:
    """P, A and B were promoted one after the other; somebody starts a task of P's revision with P's tags."""
    world = start_of("A is promoted")
    assert (canary(world, release="B").code, promote(world, release="B").code, serving(world)) == (0, 0, "web:4")
    world.schedule.now += 3600
    forged = forge(world, "P", next(arn for arn in world.revisions if arn.endswith("/web:2")))
    world.schedule.now += 30
    return world, forged


@pytest.mark.parametrize("options", [{}, {"release": "B"}])
def test_one_of_an_old_release_keeps_no_rollback_of_a_promotion_from_its_work(options: dict[str, Any]) -> None:
    world, forged = superseded()
    assert rollback(world, **options).code == 0
    assert (serving(world), forged.stop_asked is not None) == ("web:3", True)
    assert "web:2" in active(world)


@pytest.mark.parametrize("with_load_balancer", [True, False])
def test_one_of_an_old_release_is_never_promoted_and_is_named(*, with_load_balancer: bool) -> None:
    world, forged = superseded()
    world.with_load_balancer = with_load_balancer
    because = "it runs web:2, which an earlier promotion replaced"
    why = f"task {forged.arn[-32:]} has the tags of release P's canary, but {because}"
    end = promote(world, release="P", unjudged=True)
    assert (end.code, end.writes, serving(world)) == (3, [], "web:4")
    assert end.text.startswith(f"{why}; ")
    assert (promote(world).code, serving(world)) == (0, "web:4")
    end = canary(world, release="C")
    assert (end.code, end.writes) == (3, [])
    assert end.text.startswith(why)


def test_one_of_an_old_release_that_comes_while_the_canary_is_made_does_not_win() -> None:
    world = start_of("A is promoted")
    old = next(arn for arn in world.revisions if arn.endswith("/web:2"))
    once(world, "after", "RegisterTaskDefinition", lambda: forge(world, "P", old, token=the_lock(world)))
    end = canary(world, release="B")
    assert end.code == 3
    assert "it runs web:2, which an earlier promotion replaced" in end.text


def test_one_of_a_release_that_another_one_overtook_is_that_ones_canary() -> None:
    world = start_of("P runs")
    slow = evil_revision(world, "S", family="web")
    assert (canary(world, release="A").code, promote(world).code, serving(world)) == (0, 0, "web:4")
    forge(world, "S", slow)
    assert "the canary of prd/web is release S, not A" in promote(world, release="A").text
    assert rollback(world).code == 0
    assert (world.alive(), serving(world), "web:3" in active(world)) == ([], "web:4", False)
