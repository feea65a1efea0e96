"""`status --watch`: the facts again and again, until there is nothing more to see."""

from __future__ import annotations

from ecs_pipeline import marks
from ecs_pipeline.stages.status import rows, status, watch
from tests.fakes.ports import new_run
from tests.fakes.stages import run_stage
from tests.fakes.world import World


def test_it_ends_with_the_verdict() -> None:
    world = World()
    assert run_stage(world, "canary A") == 0
    (task,) = world.alive()
    verdict = task.tags.pop(marks.VERDICT)
    seen = []
    for facts in watch(new_run(world, "status", ())):
        seen.append(facts["canary"]["verdict"])
        if len(seen) == 3:
            task.tags[marks.VERDICT] = verdict
    assert seen == ["", "", "", "pass"]


def test_without_a_release_under_way_it_looks_once() -> None:
    assert len(list(watch(new_run(World(), "status", ())))) == 1


def test_a_baseline_has_a_row_of_its_own_and_no_part_in_the_share() -> None:
    world = World()
    settings = {"canary": {"bake": "5s", "healthy_within": "30s", "baseline": True}}
    assert run_stage(world, "canary A", settings) == 0
    facts = status(new_run(world, "status", ()))
    assert facts["canary"]["share"] == 25
    assert len(facts["canary"]["tasks"]) == 1
    (baseline,) = facts["baseline"]
    table = dict(rows(facts))
    assert table["baseline"] == f"{baseline['id']} RUNNING, {baseline['ip']}:8000 healthy, web:1"
    assert table["task 0"].startswith(facts["canary"]["tasks"][0]["id"])


def test_it_ends_when_the_canary_is_gone_though_nobody_took_its_release_back() -> None:
    world = World()
    assert run_stage(world, "canary A") == 0
    (task,) = world.alive()
    del task.tags[marks.VERDICT]
    seen = []
    for facts in watch(new_run(world, "status", ())):
        seen.append(facts["canary"] is not None)
        if len(seen) == 2:
            world.stop_task(task.arn, "Essential container in task exited", "EssentialContainerExited")
    assert seen == [True, True, False]
    assert facts["under_way"] == "A"
