"""Starting the canary's tasks: once, whatever happens to the process, and only one release's at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from ecs_pipeline.errors import NotPlaced, TokenTaken, Trouble
from ecs_pipeline.model.release import Epoch
from ecs_pipeline.protocol import decide, release_tags
from ecs_pipeline.steps import tasks as module
from ecs_pipeline.steps.holder import held_by
from ecs_pipeline.steps.tasks import Lost, TasksStep
from ecs_pipeline.timing.wait import StepBroken, TimedOut
from tests.fakes.names import definition_with
from tests.fakes.world import World
from tests.unit.canary_world import first_token, only, start, tasks_step, tokens
from tests.unit.facts import service, task


def test_so_many_tasks_are_started_and_waited_for_until_they_run() -> None:
    world = World()
    started = start(tasks_step(world, count=3))
    assert [(task.index, task.status, task.release) for task in started] == [
        (0, "RUNNING", "A"),
        (1, "RUNNING", "A"),
        (2, "RUNNING", "A"),
    ]
    assert tokens(world) == [first_token(world, index) for index in range(3)]


def test_the_token_is_the_same_for_every_release_and_another_in_every_turn_and_for_every_number() -> None:
    epochs = [Epoch(), Epoch("abc", "A")]
    found = [
        decide.first_token("prd/web", epoch, role, index)
        for epoch in epochs
        for role in ("canary", "baseline")
        for index in (0, 1)
    ]
    assert len(set(found)) == len(found)
    assert all(len(token) <= 64 for token in found)


def test_the_token_is_the_same_before_and_after_the_service_gets_a_long_arn() -> None:
    found = []
    for arn in ("arn:aws:ecs:eu-west-1:123456789012:service/web", "arn:aws:ecs:eu-west-1:123456789012:service/prd/web"):
        world = World()
        step = tasks_step(world)
        step.service = replace(step.service, arn=arn)
        start(step)
        found += tokens(world)
    assert found == [first_token(world)] * 2


def test_a_task_that_lives_already_is_taken_and_nothing_is_written() -> None:
    world = World()
    step = tasks_step(world)
    started = start(step)
    before = len(world.writes())
    again = tasks_step(world, revision=step.revision.revision.arn)
    assert [task.arn for task in start(again)] == [task.arn for task in started]
    assert len(world.writes()) == before
    assert again.run.recorder.record.steps[0].message.startswith("unchanged: running: ")


def test_only_the_missing_numbers_are_started() -> None:
    world = World()
    step = tasks_step(world, count=2)
    start(step)
    start(tasks_step(world, count=4, revision=step.revision.revision.arn))
    assert tokens(world) == [first_token(world, index) for index in range(4)]


@pytest.mark.parametrize("stopped", [1, 3])
def test_after_stopped_tasks_the_next_token_of_the_chain_is_taken(stopped: int) -> None:
    world = World()
    token, chain = first_token(world), []
    for _ in range(stopped):
        start(tasks_step(world))
        chain.append(token)
        token = decide.next_token(token, only(world).arn)
        world.stop_task(only(world).arn, "by hand")
    world.log.clear()
    start(tasks_step(world))
    assert tokens(world) == [*chain, token]
    assert only(world).token == token


def test_a_stopped_task_that_aws_has_forgotten_is_passed_by_too() -> None:
    world = World()
    start(tasks_step(world))
    old = only(world).arn
    world.stop_task(old, "by hand")
    world.missing.add(old)
    step = tasks_step(world)
    start(step)
    assert tokens(world)[1:] == [first_token(world), decide.next_token(first_token(world), old)]
    assert list(step.made.tasks) == [only(world).arn]


def test_an_endless_chain_of_stopped_tasks_is_given_up() -> None:
    world = World()
    step, token = tasks_step(world), first_token(world)
    for _ in range(module.MOST_TOKENS):
        asked = {"taskDefinition": step.revision.revision.arn, "tags": [], "startedBy": "canary/web"}
        stopped = world.run_task({**asked, "clientToken": token})
        world.stop_task(stopped, "by hand")
        token = decide.next_token(token, stopped)
    with pytest.raises(Trouble, match="after 50 stopped canary tasks of prd/web there is no unused RunTask token"):
        start(step)
    assert world.alive() == []


def test_a_task_that_aws_does_not_show_at_once_is_waited_for() -> None:
    world = World()
    step = tasks_step(world)
    shown_from = world.now + 20

    def hide(_when: str, _call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        world.missing = set(world.tasks) if world.now < shown_from else set()

    world.hook = hide
    assert len(start(step)) == 1
    assert tokens(world) == [first_token(world)]


def test_a_task_whose_tags_aws_does_not_show_at_once_is_waited_for() -> None:
    world = World()
    step = tasks_step(world)
    shown_from = world.now + 5
    hidden: dict[str, dict[str, str]] = {}

    def hide(_when: str, _call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        for started in world.alive():
            if world.now < shown_from and started.tags:
                hidden[started.arn] = started.tags
                started.tags = {}
            elif world.now >= shown_from and not started.tags:
                started.tags = hidden[started.arn]

    world.hook = hide
    assert len(start(step)) == 1
    assert tokens(world) == [first_token(world)]


def test_a_task_that_crashes_at_its_start_breaks_the_step_and_is_not_started_again() -> None:
    world = World()
    step = tasks_step(world)
    world.bad_images["image:A"] = "crash"
    world.delays.start = 0
    with pytest.raises(StepBroken) as caught:
        start(step)
    cause = "Essential container in task exited (app: exit code 3)"
    assert str(caught.value) == f"the canary task stopped: {cause}"
    assert "  the last line" in caught.value.evidence
    assert len(tokens(world)) == 1


def test_a_task_that_does_not_run_in_time_ends_the_step() -> None:
    world = World()
    world.delays.start = 1000
    with pytest.raises(TimedOut, match=r"^not within 1m: 0 of 1 task running \(PENDING\)$"):
        start(tasks_step(world), within=60)


def refusing(world: World, *reasons: str, times: int = 1000) -> TasksStep:
    """A step whose first RunTasks find no place."""
    step, left = tasks_step(world), [times]
    placed = step.run.ecs.run_task

    def run_task(parameters: Mapping[str, Any]) -> str:
        left[0] -= 1
        if left[0] >= 0:
            world.call("RunTask", lambda: None, write=True, detail=parameters["clientToken"])
            raise NotPlaced(reasons)
        return placed(parameters)

    step.run.ecs.run_task = run_task  # type: ignore[method-assign]
    return step


def test_a_task_without_a_place_is_told_at_once_and_run_again_with_the_same_token() -> None:
    world = World()
    step = refusing(world, "RESOURCE:MEMORY", times=3)
    told: list[str] = []
    step.run.recorder.progress = told.append  # type: ignore[method-assign,assignment]
    assert len(start(step)) == 1
    assert tokens(world) == [first_token(world)] * 4
    words = "no place: no container instance has enough memory for the task (RESOURCE:MEMORY)"
    assert [line for line in told if "place" in line] == [words]


@pytest.mark.parametrize("release", ["A", "B"])
def test_a_token_that_is_taken_by_a_task_that_aws_does_not_name_is_looked_for(release: str) -> None:
    world = World()
    mine, other = tasks_step(world), tasks_step(world, release)

    def run_task(parameters: Mapping[str, Any]) -> str:
        if not world.alive():
            start(other)
        raise TokenTaken("in use")

    mine.run.ecs.run_task = run_task  # type: ignore[method-assign]
    if release == "A":
        assert [task.arn for task in start(mine)] == [only(world).arn]
    else:
        with pytest.raises(Lost, match="release B was faster"):
            start(mine)
    assert len(tokens(world)) == 1


def test_a_token_that_is_taken_by_nothing_that_is_seen_ends_the_step() -> None:
    step = tasks_step(World())

    def run_task(parameters: Mapping[str, Any]) -> str:
        raise TokenTaken("in use")

    step.run.ecs.run_task = run_task  # type: ignore[method-assign]
    with pytest.raises(TokenTaken):
        start(step)


def test_no_place_until_the_time_is_over_ends_the_step_with_the_reason() -> None:
    world = World()
    with pytest.raises(TimedOut, match=r"^not within 1m: no place: Capacity is unavailable$"):
        start(refusing(world, "Capacity is unavailable"), within=60)
    assert world.alive() == []


def test_no_place_for_a_reason_that_cannot_pass_ends_the_step_at_once() -> None:
    world = World()
    before = world.now
    with pytest.raises(StepBroken, match=r"an attribute that the task definition requires \(ATTRIBUTE\)"):
        start(refusing(world, "ATTRIBUTE"), within=60)
    assert world.now - before < 10
    assert len(tokens(world)) == 1


def test_once_each_number_has_its_task_only_those_are_looked_at() -> None:
    world = World()
    step = tasks_step(world, count=2)
    start(step)
    world.log.clear()
    step.observe()
    assert [name for _, name, _ in world.log] == ["DescribeTasks"]


def test_the_holder_is_named_with_the_time_the_build_and_what_to_do() -> None:
    world = World()
    run = tasks_step(world).run
    made = world.register(definition_with("image:r7"), {release_tags.BUILD: "https://ci.example.com/7/"})
    refusal = held_by(run, service(), task("t7", release="r7", revision=made))
    facts = "its canary task t7 lives, since 2026-11-23 07:15 UTC, build https://ci.example.com/7/"
    cure = "promote it, `rollback --canary`, or run `canary --replace`"
    assert (refusal.exit_code, str(refusal)) == (3, f"release r7 holds prd/web: {facts}; {cure}")
