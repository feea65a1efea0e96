"""Two processes that start a canary at once: one task lives, and both know whose it is."""

from __future__ import annotations

import pytest

from ecs_pipeline.model.release import Epoch
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.fence import EpochChanged
from ecs_pipeline.steps.tasks import Lost
from tests.fakes.world import World
from tests.unit.canary_world import at, only, start, tasks_step, tokens


def test_another_releases_task_that_the_token_names_wins() -> None:
    world = World()
    start(tasks_step(world, "B"))
    with pytest.raises(Lost, match="release B was faster") as caught:
        start(tasks_step(world, "A"))
    assert (caught.value.winner.arn, caught.value.exit_code) == (only(world).arn, 3)


def test_of_two_tasks_of_one_number_the_older_stays_and_a_younger_one_of_ours_goes() -> None:
    world = World()
    start(tasks_step(world, "B"))
    older = only(world)
    world.schedule.now += 5
    world.expired_tokens.add(older.token)
    step = tasks_step(world, "A")
    with pytest.raises(Lost):
        start(step)
    assert world.alive() == [older]
    assert step.made.tasks == {}


def test_of_two_tasks_of_the_same_release_the_older_is_taken() -> None:
    world = World()
    step = tasks_step(world)
    older = world.tasks[start(step)[0].arn]
    world.schedule.now += 5
    hidden = {older.arn}
    again = tasks_step(world, revision=step.revision.revision.arn)
    world.missing, world.expired_tokens = hidden, {older.token}
    at(world, "after", "RunTask", hidden.clear)
    assert [task.arn for task in start(again)] == [older.arn]
    assert world.alive() == [older]


def test_the_revision_of_a_task_that_another_process_of_the_release_started_is_taken() -> None:
    world = World()
    theirs = tasks_step(world, "A")
    start(theirs)
    ours = tasks_step(world, "A")
    assert ours.revision != theirs.revision
    start(ours)
    assert ours.revision == theirs.revision
    assert len(tokens(world)) == 1


@pytest.mark.parametrize(("moment", "call", "started"), [("before", "ListTasks", 0), ("after", "RunTask", 1)])
def test_a_rollback_meanwhile_stops_it_and_what_was_made_is_known(moment: str, call: str, started: int) -> None:
    world = World()
    step = tasks_step(world)
    step.run.clock.sleep(5)
    epoch = {release_tags.EPOCH: release_tags.epoch_value(Epoch("abc", "A"))}
    at(world, moment, call, lambda: world.service_tags.update(epoch))
    with pytest.raises(EpochChanged):
        start(step)
    assert (len(tokens(world)), len(step.made.tasks)) == (started, started)
