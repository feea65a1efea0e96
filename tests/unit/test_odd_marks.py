"""What can be seen and is not to be believed, or not to be lost: odd marks, lone baselines, surplus tasks, rivals."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.protocol import release_tags
from tests.fakes.names import PREFIX
from tests.fakes.resources import FakeTask
from tests.fakes.world import World
from tests.unit.canary_world import at, kill_at
from tests.unit.intruder import forge, set_by_hand
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import arn_of, canary, promote, rollback, serving


@pytest.mark.parametrize("name", ["web:3", "web:1"])
def test_a_baseline_that_nobody_needs_goes_and_no_promotion_with_it(name: str) -> None:
    world = start_of("A is promoted")
    forge(world, "Z", arn_of(world, name), tags={release_tags.ROLE: "baseline", release_tags.VERDICT: ""})
    end = rollback(world, canary_only=True)
    assert (end.code, serving(world), world.revisions[arn_of(world, "web:3")].active) == (0, "web:3", True)
    assert world.alive() == []


def test_a_baseline_of_nobody_is_no_reason_to_undo_the_promotion_that_is_named() -> None:
    world = start_of("A is promoted")
    forge(world, "Z", arn_of(world, "web:3"), tags={release_tags.ROLE: "baseline", release_tags.VERDICT: ""})
    assert rollback(world, canary_only=True, release="A").code == 0
    assert (serving(world), world.revisions[arn_of(world, "web:3")].active) == ("web:3", True)


@pytest.mark.parametrize("dies", ["DeregisterTargets", "UpdateService"])
def test_a_canary_is_its_releases_own_though_the_service_was_set_by_hand_meanwhile(dies: str) -> None:
    world = start_of("A is a canary")
    set_by_hand(world)
    kill_at(world, "before", dies, lambda: promote(world, release="A"))
    end = promote(world, release="A")
    assert (end.code, serving(world), world.alive(), world.registered()) == (0, "web:3", [], []), end.text


@pytest.mark.parametrize("options", [{}, {"release": "A"}])
def test_a_mark_that_names_what_never_ran_makes_no_canary_a_foreign_one(options: dict[str, Any]) -> None:
    world = start_of("A is a canary")
    world.service_tags[release_tags.PREVIOUS] = f"{PREFIX}:task-definition/web:99"
    end = promote(world, **options)
    assert (end.code, serving(world)) == (0, "web:3"), end.text


def test_a_canary_takes_its_task_for_its_own_whatever_that_mark_says() -> None:
    world = start_of("P runs")
    world.service_tags[release_tags.PREVIOUS] = f"{PREFIX}:task-definition/web:99"
    assert canary(world, release="A").code == 0


def in_traffic(world: World, task: FakeTask) -> bool:
    return any(address == task.address for address, _ in world.registered())


@pytest.mark.parametrize("written", ["0/", "x"])
def test_a_turn_that_somebody_writes_back_keeps_no_canary_in_the_traffic(written: str) -> None:
    world = start_of("A is a canary")
    (mine,) = world.alive()

    def hook(when: str, call: str, _write: bool) -> None:  # noqa: FBT001 - the world's hook
        if (when, call) == ("after", "TagResource"):
            world.service_tags[release_tags.EPOCH] = written

    world.hook = hook
    end = rollback(world)
    assert (end.code, "ecs-pipeline:turn" in end.text) == (4, True), end.text
    assert not in_traffic(world, mine)
    assert world.alive() == []


def sized(tasks: int) -> dict[str, object]:
    return {"canary": {"tasks": tasks, "bake": "2s", "healthy_within": "30s"}}


def test_a_canary_that_is_smaller_by_now_loses_its_other_tasks() -> None:
    world = start_of("P runs")
    kill_at(world, "after", "RunTask", lambda: canary(world, release="A", settings=sized(3)), count=3)
    world.schedule.now += 30
    assert canary(world, release="A", settings=sized(1)).code == 0
    assert len(world.alive()) == 1
    assert promote(world, release="A").code == 0


@pytest.mark.parametrize("command", ["promote", "canary --replace"])
def test_another_rollback_that_begins_meanwhile_is_told(command: str) -> None:
    world = start_of("A is a canary")
    kill_at(world, "before", "DeregisterTargets", lambda: rollback(world))
    at(world, "after", "StopTask", lambda: world.service_tags.update({release_tags.EPOCH: "abc/B"}))
    end = promote(world, release="A") if command == "promote" else canary(world, release="A", replace=True)
    assert end.code == 3
    assert end.text == "a rollback of B began at prd/web meanwhile; run it again"


@pytest.mark.parametrize("options", [{}, {"canary_only": True}, {"release": "Z"}, {"to": "web:2"}])
@pytest.mark.parametrize("start", ["P runs", "A was rolled back"])
def test_a_baseline_without_a_canary_is_named_and_goes_where_nothing_is_to_be_undone(
    start: str, options: dict[str, Any]
) -> None:
    world = start_of(start)
    world.service_tags[release_tags.PREVIOUS] = ""
    his = forge(world, "Z", world.deployments[0].revision, tags={release_tags.ROLE: "baseline"})
    world.schedule.now += 30
    told = f"task {his.arn[-32:]} has the tags of release Z's baseline, and no canary lives beside it"
    planned = rollback(world, dry_run=True, **options)
    assert (planned.code, planned.writes, his.stop_asked) == (0, [], None)
    assert f"stop task {his.arn[-32:]}" in planned.run.recorder.record.plan
    end = rollback(world, **options)
    assert (end.code, end.writes, serving(world)) == (0, ["DeregisterTargets", "StopTask"], "web:2")
    assert (his.reason, told in end.run.recorder.record.notes) == ("ecs-pipeline: no canary lives beside it", True)
    again = rollback(world, **options)
    assert (again.code in (0, 3), again.writes) == (True, [])


def test_a_baseline_of_another_release_is_none_of_a_named_ones() -> None:
    world = start_of("A was rolled back")
    his = forge(world, "Z", world.deployments[0].revision, tags={release_tags.ROLE: "baseline"})
    assert (rollback(world, release="A").code, his.stop_asked) == (0, None)


def test_a_baseline_beside_its_canary_is_no_odd_one() -> None:
    world = start_of("P runs")
    settings = {"canary": {"bake": "2s", "healthy_within": "30s", "baseline": True}}
    ends = [canary(world, release="A", settings=settings), promote(world, release="A", settings=settings)]
    assert [end.code for end in ends] == [0, 0]
    assert [note for end in ends for note in end.run.recorder.record.notes if "no canary lives" in note] == []


@pytest.mark.parametrize("role", ["baseline", "canary"])
def test_a_task_of_his_lets_no_rollback_end_well_while_the_service_is_elsewhere(role: str) -> None:
    world = start_of("A was rolled back")
    for revision in world.revisions.values():
        revision.tags |= {release_tags.RELEASE: "A", release_tags.EPOCH: "0/"}  # all of them are cancelled
    assert rollback(world).code == 3
    his = forge(world, "Z", world.deployments[0].revision, tags={release_tags.ROLE: role})
    world.schedule.now += 30
    end = rollback(world)
    assert (end.code, his.stop_asked is not None) == (3, True), end.text
