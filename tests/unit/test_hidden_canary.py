"""Tags that hide a canary from a rollback, written over by somebody who may tag: it leaves the traffic nevertheless."""

from __future__ import annotations

import pytest

from ecs_pipeline.protocol import release_tags
from tests.fakes.resources import FakeTask
from tests.fakes.world import World
from tests.unit.canary_world import kill_at, only
from tests.unit.intruder import evil_revision, forge
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary, promote, rollback, serving


def in_traffic(world: World, task: FakeTask) -> bool:
    return any(address == task.address for address, _ in world.registered())


def overwrite_records(world: World) -> None:
    """The address of the canary is written down no more."""
    for key in [key for key in world.service_tags if key.startswith(release_tags.TARGETS)]:
        world.service_tags[key] = "x"


@pytest.mark.parametrize("command", ["rollback", "rollback --canary", "canary"])
@pytest.mark.parametrize("owner", ["api", ""])
def test_one_that_is_tagged_as_another_services_leaves_the_traffic_without_a_record(owner: str, command: str) -> None:
    world = start_of("A is a canary")
    mine = only(world)
    mine.tags[release_tags.SERVICE] = owner
    overwrite_records(world)
    if command == "canary":
        end = canary(world, release="B")
    else:
        end = rollback(world, canary_only=command == "rollback --canary")
    assert (end.code, in_traffic(world, mine), mine.stop_asked) == (0, False, None), end.text
    assert any("is not stopped" in line for line in end.run.recorder.record.notes)


def test_a_target_of_another_service_stays_whatever_its_task_is_started_as() -> None:
    world = start_of("A is a canary")
    theirs = forge(world, "A", evil_revision(world, "A", family="api"), tags={release_tags.SERVICE: "api"})
    world.schedule.now += 30
    world.targets[(theirs.address, 8000)] = world.targets[next(iter(world.registered()))]
    assert rollback(world).code == 0
    assert in_traffic(world, theirs)


def test_one_whose_release_was_written_over_goes_with_the_rollback_of_its_release() -> None:
    world = start_of("A is a canary")
    mine = only(world)
    mine.tags[release_tags.RELEASE] = world.service_tags[release_tags.UNDER_WAY] = "Z"
    end = rollback(world, release="A")
    assert (end.code, in_traffic(world, mine), world.alive()) == (0, False, []), end.text
    assert serving(world) == "web:2"


def test_the_canary_of_the_release_that_superseded_it_stays() -> None:
    world = start_of("A was rolled back")
    assert canary(world, release="B").code == 0
    mine = only(world)
    end = rollback(world, release="A")
    assert (end.code, end.writes, in_traffic(world, mine)) == (0, [], True)


@pytest.mark.parametrize("tag", [release_tags.ROLE, release_tags.RELEASE])
def test_one_beside_a_baseline_that_stands_alone_goes_with_rollback_canary(tag: str) -> None:
    world = start_of("A is a canary")
    mine = only(world)
    forge(world, "Z", world.deployments[0].revision, tags={release_tags.ROLE: "baseline"})
    world.schedule.now += 30
    mine.tags[tag], world.service_tags[release_tags.UNDER_WAY] = "x", ""
    end = rollback(world, canary_only=True)
    assert (end.code, in_traffic(world, mine), world.alive()) == (0, False, []), end.text
    assert serving(world) == "web:2"


def test_one_of_two_that_a_killed_promote_left_goes_with_rollback_canary() -> None:
    world = start_of("P runs")
    two = {"canary": {"tasks": 2, "bake": "2s", "healthy_within": "30s"}}
    assert canary(world, release="A", settings=two).code == 0
    kill_at(world, "before", "DeregisterTargets", lambda: promote(world, release="A"))
    first, second = world.alive()
    second.tags[release_tags.RELEASE] = "x"
    end = rollback(world, canary_only=True)
    assert (end.code, in_traffic(world, first), in_traffic(world, second)) == (0, False, False), end.text
    assert (world.alive(), serving(world)) == ([], "web:3")
