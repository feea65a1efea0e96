"""The baseline: one task of the stable revision beside the canary, and gone with it on every way."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.stages import run_stage, stage_of
from tests.fakes.world import REGISTRY, FakeTask, World, digest_of

SETTINGS: dict[str, Any] = {"canary": {"bake": "5s", "healthy_within": "30s", "baseline": True}}


def by_role(world: World) -> dict[str, FakeTask]:
    return {one.tags["ecs-pipeline:role"]: one for one in world.alive()}


def start(world: World) -> Any:
    code, run, text = stage_of(world, "canary A", SETTINGS)
    assert code == 0, text
    return run.recorder.record


def test_it_runs_the_stable_revision_takes_traffic_and_counts_nowhere() -> None:
    world = World()
    record = start(world)
    tasks = by_role(world)
    assert set(tasks) == {"canary", "baseline"}
    assert tasks["baseline"].revision == world.service_facts().revision
    assert tasks["baseline"].tags["ecs-pipeline:release"] == "A"
    assert tasks["baseline"].token != tasks["canary"].token
    assert len(world.registered()) == 2
    assert record.share == 25
    assert [one.role for one in record.canary] == ["canary", "baseline"]


@pytest.mark.parametrize("way", ["promote A", "rollback", "rollback A"])
def test_it_goes_with_the_canary(way: str) -> None:
    world = World()
    start(world)
    stable = world.service_facts().revision
    assert run_stage(world, way, SETTINGS) == 0
    assert world.alive() == []
    assert world.registered() == []
    assert world.revisions[stable].active


def test_it_goes_when_the_release_fails() -> None:
    world = World()
    stable = world.service_facts().revision
    world.bad_images[f"{REGISTRY}/web@{digest_of('A')}"] = "unhealthy"
    assert stage_of(world, "canary A", SETTINGS)[0] == 1
    assert world.alive() == []
    assert len(world.tasks) == 2
    assert world.registered() == []
    assert [one.arn for one in world.revisions.values() if one.active] == [stable]


def test_the_same_command_again_starts_no_second_one() -> None:
    world = World()
    start(world)
    start(world)
    assert len(world.tasks) == 2


def test_one_whose_canary_died_makes_room_for_the_next_release() -> None:
    world = World()
    start(world)
    world.stop_task(by_role(world)["canary"].arn, "Essential container in task exited", "EssentialContainerExited")
    code, _, text = stage_of(world, "canary B", SETTINGS)
    assert code == 0, text
    assert {one.tags["ecs-pipeline:release"] for one in world.alive()} == {"B"}
    assert len(world.alive()) == 2
