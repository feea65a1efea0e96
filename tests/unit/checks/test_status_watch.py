"""`status --watch`: the facts again and again, until there is nothing more to see."""

from __future__ import annotations

from ecs_pipeline import marks
from ecs_pipeline.stages.status import watch
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
