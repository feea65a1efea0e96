"""Tags of a canary that say how it was judged: only those of its first task count."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.protocol import release_tags
from ecs_pipeline.stages.status import status
from tests.fakes.ports import new_run
from tests.fakes.resources import FakeTask
from tests.fakes.world import World
from tests.unit.canary_world import dies, kill_at
from tests.unit.intruder import forge
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary, promote

TWO: dict[str, Any] = {"canary": {"tasks": 2, "bake": "2s", "healthy_within": "30s"}}


def canary_of_two() -> tuple[World, FakeTask, FakeTask]:
    """A judged canary of two tasks, in order of their numbers."""
    world = start_of("P runs")
    assert canary(world, release="A", settings=TWO).code == 0
    first, second = world.alive()
    return world, first, second


def test_a_number_that_somebody_writes_on_another_task_of_the_canary_says_nothing() -> None:
    world, _, second = canary_of_two()
    second.tags[release_tags.JUDGED_TASKS] = "9999"
    assert canary(world, release="A", settings=TWO).writes == []
    assert promote(world, release="A").code == 0


def test_a_number_on_the_first_task_is_named_and_the_canary_is_judged_anew() -> None:
    world, first, _ = canary_of_two()
    first.tags[release_tags.JUDGED_TASKS] = "9999"
    end = promote(world, release="A")
    told = f"9997 of its tasks stopped (9999 were judged, says a tag of task {first.arn[-32:]})"
    assert (end.code, told in end.text) == (3, True), end.text
    assert canary(world, release="A", settings=TWO).code == 0
    assert promote(world, release="A").code == 0


def test_a_canary_that_lost_a_task_is_judged_anew() -> None:
    world, _, second = canary_of_two()
    dies(world, 1)
    assert second.stop_asked is not None
    end = promote(world, release="A")
    assert (end.code, "1 of its tasks stopped (2 were judged" in end.text) == (3, True)
    assert canary(world, release="A", settings=TWO).code == promote(world, release="A").code == 0


@pytest.mark.parametrize("who", ["tags", "runs"])
def test_a_verdict_on_another_task_than_the_first_is_none(who: str) -> None:
    world = start_of("P runs")
    world.with_load_balancer = False
    kill_at(world, "after", "RunTask", lambda: canary(world, release="A", settings=TWO), count=3)
    world.schedule.now += 30
    if who == "tags":
        world.alive()[1].tags[release_tags.VERDICT] = "pass"
    else:
        forge(world, "A", world.alive()[0].revision, tags={release_tags.INDEX: "7", release_tags.JUDGED_TASKS: "2"})
        world.schedule.now += 30
    assert status(new_run(world, "status", ()))["canary"]["verdict"] == ""
    end = promote(world, release="A")
    assert (end.code, "has no verdict" in end.text) == (3, True), end.text
    end = canary(world, release="A", settings=TWO)
    assert (end.code, end.message("bake")) == (0, "watched for 2s")
    assert promote(world, release="A").code == 0
