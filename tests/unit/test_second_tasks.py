"""Two tasks of one number: the older counts, the other is taken away."""

from __future__ import annotations

import pytest

from ecs_pipeline.protocol import release_tags
from ecs_pipeline.stages.status import status
from tests.fakes.ports import new_run
from tests.unit.intruder import forge, in_traffic
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary, promote, rollback, serving


def test_of_two_tasks_of_one_number_the_older_counts_and_promote_takes_the_other_away() -> None:
    world = start_of("A is a canary")
    (mine,) = world.alive()
    world.schedule.now += 30
    his = forge(world, "A", mine.revision)
    facts = status(new_run(world, "status", ()))
    assert [task["arn"] for task in facts["canary"]["tasks"]] == [mine.arn]
    assert facts["foreign_tasks"][0]["why"] == f"task {mine.arn[-32:]} is older and has the same number 0"
    assert f"task {his.arn[-32:]} has the tags of release A's canary, but task {mine.arn[-32:]}" in str(facts["doubts"])
    end = promote(world, release="A")
    assert (end.code, serving(world), world.alive()) == (0, "web:3", []), end.text
    assert not in_traffic(world, his)


def test_the_verdict_of_a_second_task_is_none() -> None:
    world = start_of("A is a canary")
    (mine,) = world.alive()
    mine.tags[release_tags.VERDICT] = ""
    world.schedule.now += 30
    forge(world, "A", mine.revision)
    end = promote(world, release="A")
    assert (end.code, serving(world)) == (3, "web:2")
    assert "has no verdict" in end.text


@pytest.mark.parametrize("judged", [True, False])
def test_a_canary_that_is_run_again_takes_a_second_task_away(*, judged: bool) -> None:
    world = start_of("A is a canary")
    (mine,) = world.alive()
    mine.tags[release_tags.VERDICT] = "pass" if judged else ""
    world.schedule.now += 30
    his = forge(world, "A", mine.revision)
    world.schedule.now += 30
    world.targets[his.address, 8000] = (world.now, None)
    end = canary(world, release="A")
    assert (end.code, world.alive(), world.registered()) == (0, [mine], [(mine.address, 8000)]), end.text
    if judged:
        assert end.message("preflight").endswith(
            f"{his.arn[-32:]} was stopped, for the release has a task of that number"
        )
    assert promote(world, release="A").code == 0


def test_a_dry_run_says_so_and_stops_nothing() -> None:
    world = start_of("A is a canary")
    (mine,) = world.alive()
    world.schedule.now += 30
    his = forge(world, "A", mine.revision)
    end = canary(world, release="A", dry_run=True)
    assert (end.code, end.writes) == (0, [])
    assert any(his.arn[-32:] in line for line in end.run.recorder.record.plan)


@pytest.mark.parametrize("options", [{}, {"canary_only": True}])
@pytest.mark.parametrize("start", ["A is a canary", "A is promoted"])
def test_a_rollback_takes_a_second_task_away(start: str, options: dict[str, bool]) -> None:
    world = start_of(start)
    world.schedule.now += 30
    revision = next(arn for arn in world.revisions if arn.endswith("/web:3"))
    for _ in range(2):
        forge(world, "A", revision, token=f"his-{world.now}")
        world.schedule.now += 30
    end = rollback(world, **options)
    assert (end.code, world.alive()) == (0, []), end.text


def test_a_task_whose_number_was_taken_by_tagging_another_is_named_by_promote() -> None:
    world = start_of("A is a canary")
    (mine,) = world.alive()
    world.schedule.now += 1
    other = forge(world, "A", mine.revision)
    for task in (mine, other):
        task.tags[release_tags.JUDGED_TASKS] = "2"
    end = promote(world, release="A")
    assert end.code == 3
    told = f"says a tag of task {mine.arn[-32:]}), of task {other.arn[-32:]}: task {mine.arn[-32:]} is older"
    assert told in end.text
