"""What somebody forges keeps no rollback from its work, and nothing good goes on the word of it."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.model.release import Epoch
from ecs_pipeline.protocol import release_tags
from tests.fakes.world import World
from tests.unit.canary_world import at, kill_at
from tests.unit.intruder import evil_revision, forge
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import arn_of, canary, promote, rollback, serving


def gone_back_by_name() -> World:
    """P (web:2), A (web:3) and B (web:4) were promoted, then `rollback --to web:2` came."""
    world = start_of("A is promoted")
    assert canary(world, release="B").code == promote(world, release="B").code == 0
    assert rollback(world, to="web:2").code == 0
    assert (serving(world), world.revisions[arn_of(world, "web:3")].active) == ("web:2", True)
    return world


def forge_of_the_past(world: World) -> None:
    """A task of the good revision web:3, with the tags of its release and epoch."""
    if not any(task.token == "past" for task in world.tasks.values()):
        tags = {release_tags.EPOCH: release_tags.epoch_value(Epoch())}
        forge(world, "A", arn_of(world, "web:3"), token="past", tags=tags)


@pytest.mark.parametrize("options", [{}, {"canary_only": True}, {"to": "web:1"}])
def test_a_good_revision_stays_though_a_task_of_it_is_swept(options: dict[str, Any]) -> None:
    world = gone_back_by_name()
    forge_of_the_past(world)
    world.schedule.now += 30
    end = rollback(world, **options)
    assert (end.code, world.alive()) == (0, []), end.text
    assert world.revisions[arn_of(world, "web:3")].active, end.writes


def test_a_good_revision_stays_though_a_failing_canary_sweeps_a_task_of_it() -> None:
    world = gone_back_by_name()
    world.delays.healthy = 1000
    at(world, "after", "RegisterTargets", lambda: forge_of_the_past(world))
    assert canary(world, release="C").code == 1
    assert (world.alive(), world.revisions[arn_of(world, "web:3")].active) == ([], True)


@pytest.mark.parametrize("call", ["StopTask", "DeregisterTaskDefinition"])
def test_what_a_killed_rollback_left_is_deregistered_by_the_next(call: str) -> None:
    world = start_of("A is a canary")
    kill_at(world, "before", call, lambda: rollback(world))
    assert rollback(world).code == 0
    assert (world.alive(), world.revisions[arn_of(world, "web:3")].active) == ([], False)


def written_over(world: World, value: str, times: int, beside: dict[str, str] | None = None) -> None:
    """Somebody writes over the epoch that a rollback has written, so often, and other marks beside."""
    left = [times]

    def hook(when: str, call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (when, call) == ("after", "TagResource") and left[0]:
            left[0] -= 1
            world.service_tags |= {release_tags.EPOCH: value, **(beside or {})}

    world.hook = hook


@pytest.mark.parametrize("value", ["0/", "x"])
def test_a_turn_that_is_written_over_once_is_written_again(value: str) -> None:
    world = start_of("A is a canary")
    written_over(world, value, 1)
    end = rollback(world)
    assert (end.code, world.alive(), world.registered()) == (0, [], []), end.text
    assert not world.revisions[arn_of(world, "web:3")].active
    assert release_tags.parse_epoch(world.service_tags[release_tags.EPOCH]).cancelled == "A"


def test_it_is_written_again_beside_the_mark_of_a_held_autoscaling() -> None:
    world = start_of("A is a canary")
    world.service_tags[release_tags.SCALING] = "in=no out=no scheduled=no"
    written_over(world, "0/", 1)
    assert rollback(world).code == 0
    assert release_tags.parse_epoch(world.service_tags[release_tags.EPOCH]).cancelled == "A"


def test_one_that_is_written_over_twice_is_told_with_what_was_done() -> None:
    world = start_of("A is a canary")
    written_over(world, "0/", 2)
    end = rollback(world)
    assert (end.code, world.alive(), world.registered()) == (4, [], [])
    assert "the canary of release A is out of the traffic and stopped, nothing else was done" in end.text


def test_it_is_not_written_again_over_a_release_that_began_meanwhile() -> None:
    world = start_of("A is a canary")
    written_over(world, "0/", 1, beside={release_tags.UNDER_WAY: "B"})
    assert rollback(world).code == 4
    assert world.service_tags[release_tags.UNDER_WAY] == "B"


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("options", [{}, {"release": "P"}])
def test_no_rollback_ends_well_while_the_service_is_not_where_it_is_to_be(options: dict[str, Any], times: int) -> None:
    world = start_of("P runs")
    written_over(world, "x", times)
    first = rollback(world)
    assert (first.code, serving(world)) == ((0, "web:1") if times == 1 else (4, "web:2")), first.text
    end = rollback(world, **options)
    assert (end.code, serving(world)) == (0, "web:1"), end.text


def test_a_service_that_was_set_by_hand_is_left_alone_by_the_rollback_of_what_it_does_not_run() -> None:
    world = start_of("A was rolled back")
    by_hand = world.register({**world.revisions[world.deployments[0].revision].definition, "cpu": "512"}, {})
    world.update_service(by_hand)
    world.schedule.now += 60
    assert rollback(world, release="X").code == 0
    assert world.deployments[0].revision == by_hand


def test_a_foreign_task_beside_it_does_not_make_a_rollback_end_well() -> None:
    world = start_of("P runs")
    world.service_tags |= {
        release_tags.EPOCH: "abc/P",
        release_tags.UNDER_WAY: "",
        release_tags.RELEASE: "",
        release_tags.PREVIOUS: "",
    }
    world.service_tags[release_tags.WANTED] = arn_of(world, "web:1")
    world.revisions[arn_of(world, "web:1")].active = False
    forge(world, "Z", evil_revision(world, "Z"))
    world.schedule.now += 30
    end = rollback(world)
    assert (end.code, world.alive()) == (3, []), end.text
    assert "what the last rollback wanted instead was taken away as well" in end.text


def keeps_coming(world: World, release: str = "Z", revision: str = "") -> list[str]:
    """Whenever a task was stopped he starts the next, with the tags of another epoch; their ARNs."""
    found: list[str] = []
    evil = revision or evil_revision(world, release)

    def start() -> None:
        assert len(found) < 100, "it is swept for ever"
        task = forge(world, release, evil, token=f"his-{len(found)}", tags={release_tags.EPOCH: "abc/Q"})
        found.append(task.arn)

    start()
    at(world, "after", "StopTask", start)
    return found


@pytest.mark.parametrize("options", [{}, {"release": "A"}, {"to": "web:2"}])
def test_tasks_that_keep_coming_keep_no_rollback_from_its_work(options: dict[str, Any]) -> None:
    world = start_of("A is promoted")
    his = keeps_coming(world)
    end = rollback(world, **options)
    assert (serving(world), world.revisions[arn_of(world, "web:3")].active) == ("web:2", False)
    assert (end.code, f"now task {his[-1][-32:]}" in end.text) == (4, True), end.text
    world.hook = lambda _when, _call, _write: None
    assert (rollback(world, **options).code, world.alive()) == (0, [])


def test_beside_them_a_canary_that_fails_leaves_the_traffic() -> None:
    world = start_of("P runs")
    world.delays.healthy = 1000
    keeps_coming(world)
    assert canary(world, release="B").code == 1
    assert (serving(world), world.registered()) == ("web:2", [])
    assert {task.tags[release_tags.RELEASE] for task in world.alive()} == {"Z"}


def test_beside_them_a_canary_is_started_and_they_are_told() -> None:
    world = start_of("P runs")
    his = keeps_coming(world)
    assert canary(world, release="B").code == 0
    assert his[-1] in {task.arn for task in world.alive()}


def test_tasks_of_three_epochs_are_all_swept() -> None:
    world = start_of("P runs")
    evil = evil_revision(world, "Z")
    for number in range(3):
        forge(world, "Z", evil, token=f"his-{number}", tags={release_tags.EPOCH: f"{number}a/Q"})
    assert canary(world, release="B").code == 0
    assert [task.tags[release_tags.RELEASE] for task in world.alive()] == ["B"]
