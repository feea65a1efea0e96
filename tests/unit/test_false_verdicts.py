"""Tags of a canary that say how it was judged: only those of its first task count, and they do not last for ever."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline import marks
from ecs_pipeline.stages.status import status
from tests.fakes.ports import new_run
from tests.fakes.world import FakeTask, World
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
    second.tags[marks.JUDGED_TASKS] = "9999"
    assert canary(world, release="A", settings=TWO).writes == []
    assert promote(world, release="A").code == 0


def test_a_number_on_the_first_task_is_named_and_the_canary_is_judged_anew() -> None:
    world, first, _ = canary_of_two()
    first.tags[marks.JUDGED_TASKS] = "9999"
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
        world.alive()[1].tags[marks.VERDICT] = "pass"
    else:
        forge(world, "A", world.alive()[0].revision, tags={marks.INDEX: "7", marks.JUDGED_TASKS: "2"})
        world.schedule.now += 30
    assert status(new_run(world, "status", ()))["canary"]["verdict"] == ""
    end = promote(world, release="A")
    assert (end.code, "has no verdict" in end.text) == (3, True), end.text
    end = canary(world, release="A", settings=TWO)
    assert (end.code, end.message("bake")) == (0, "watched for 2s")
    assert promote(world, release="A").code == 0


def baked(seconds: str, **canary_settings: Any) -> dict[str, Any]:
    return {"canary": {"bake": seconds, "healthy_within": "30s", **canary_settings}}


def cut_short(settings: dict[str, Any]) -> World:
    """The agent was lost during the bake; somebody writes a verdict half a minute later."""
    world = start_of("P runs")
    kill_at(world, "after", "RegisterTargets", lambda: canary(world, release="A", settings=settings))
    world.schedule.now += 30
    world.alive()[0].tags[marks.VERDICT] = "pass"
    return world


def test_a_verdict_before_the_task_has_run_as_long_as_its_bake_is_none() -> None:
    slow = baked("600s")
    world = cut_short(slow)
    refused = promote(world, release="A", settings=slow)
    (mine,) = world.alive()
    told = f"has a verdict that cannot be true: task {mine.arn[-32:]} runs for 31s only, and the bake takes 10m"
    assert (refused.code, refused.writes, told in refused.text) == (3, [], True), refused.text
    before = world.now
    end = canary(world, release="A", settings=slow)
    assert (end.code, world.now - before >= 600) == (0, True)
    told = f"the verdict of release A cannot be true, it is judged anew: task {mine.arn[-32:]} runs for 31s only"
    assert any(note.startswith(told) for note in end.run.recorder.record.notes)
    assert canary(world, release="A", settings=slow).writes == []
    assert promote(world, release="A", settings=slow).code == 0


def test_a_person_may_promote_it_nevertheless() -> None:
    slow = baked("600s")
    world = cut_short(slow)
    assert promote(world, release="A", settings=slow, unjudged=True).code == 0


@pytest.mark.parametrize(
    "sizes",
    [
        baked("60s"),
        baked("60s", initial_delay="30s"),
        {"canary": {"steps": [{"tasks": 1, "bake": "60s"}, {"tasks": 2, "bake": "5s"}], "healthy_within": "30s"}},
        {"canary": {"steps": [{"tasks": 1, "bake": "5s"}, {"tasks": 2, "bake": "60s"}], "healthy_within": "30s"}},
    ],
)
def test_a_verdict_of_ours_counts_at_once(sizes: dict[str, Any]) -> None:
    world = start_of("P runs")
    assert canary(world, release="A", settings=sizes).code == 0
    assert canary(world, release="A", settings=sizes).writes == []
    assert promote(world, release="A", settings=sizes).code == 0


def test_an_inconclusive_verdict_of_the_first_size_counts_at_once() -> None:
    steps = [{"tasks": 1, "bake": "5s"}, {"tasks": 2, "bake": "600s"}]
    unclear = {"name": "seen", "command": {"run": ["false"]}, "min_samples": 9}
    settings = {"canary": {"steps": steps, "healthy_within": "30s", "checks": [unclear]}}
    world = start_of("P runs")
    assert canary(world, release="A", settings=settings).code == 5
    again = canary(world, release="A", settings=settings)
    assert (again.code, again.writes) == (5, [])
    assert promote(world, release="A", settings=settings).code == 0


def test_a_bake_that_is_longer_by_now_is_repeated_and_one_that_is_shorter_is_not() -> None:
    world = start_of("P runs")
    assert canary(world, release="A", settings=baked("60s")).code == 0
    assert canary(world, release="A", settings=baked("10s")).writes == []
    before = world.now
    assert canary(world, release="A", settings=baked("600s")).code == 0
    assert world.now - before >= 600


def test_what_the_service_runs_is_done_however_long_the_bake_is_by_now() -> None:
    world = start_of("A is a canary")
    kill_at(world, "before", "StopTask", lambda: promote(world, release="A"))
    assert canary(world, release="A", settings=baked("3h")).writes == []
    assert promote(world, release="A", settings=baked("3h")).code == 0
