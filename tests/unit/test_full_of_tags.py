"""A service or a task that somebody filled up to the 50 tags of ECS: marks are overwritten; a canary leaves."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.plans.refusals import OUR_TAGS
from ecs_pipeline.protocol import release_tags
from tests.fakes.world import World
from tests.unit.canary_world import at
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import End, active, canary, promote, rollback, serving

CURE = "remove one that is not needed, find out who wrote it (CloudTrail: TagResource), and run `rollback` again"


def fill(tags: dict[str, str]) -> None:
    """Tags of other names, as the documented Deny lets anybody write them, until there are 50."""
    tags |= {f"x{number}": "y" for number in range(release_tags.MOST_TAGS - len(tags))}


def emptied(tags: dict[str, str]) -> None:
    """A person removes what was filled in."""
    for key in [key for key in tags if key.startswith("x")]:
        del tags[key]


def begun_by_hand(world: World) -> None:
    """The canary of a version that reserved no keys, after somebody took its spare ones away."""
    for key in (release_tags.EPOCH, *release_tags.RESERVED, *release_tags.SPARE):
        world.service_tags.pop(key, None)


def assert_gone_and_told(world: World, end: End) -> None:
    """The canary has left; the service, the marks and the revision are as they were."""
    assert end.code == 4, end.text
    assert end.text == (
        "service prd/web has the 50 tags that ECS allows: what a rollback needs is not written; "
        f"the canary of release A is out of the traffic and stopped, nothing else was done; {CURE}"
    )
    assert (world.registered(), world.alive(), serving(world)) == ([], [], "web:2")
    assert "web:3" in active(world)


@pytest.mark.parametrize("options", [{}, {"canary_only": True}, {"release": "A"}])
def test_a_rollback_needs_no_new_tag(options: dict[str, Any]) -> None:
    world = start_of("A is a canary")
    fill(world.service_tags)
    end = rollback(world, **options)
    assert (end.code, world.registered(), world.alive(), serving(world)) == (0, [], [], "web:2"), end.text
    assert release_tags.parse_epoch(world.service_tags[release_tags.EPOCH]).cancelled == "A"
    assert not list(clean(world))


def test_nor_does_the_first_rollback_of_a_service() -> None:
    world = World()
    assert canary(world, release="A").code == 0
    assert set(release_tags.RESERVED) <= set(world.service_tags)
    fill(world.service_tags)
    end = rollback(world)
    assert (end.code, world.registered(), world.alive(), serving(world)) == (0, [], [], "web:1"), end.text
    assert len(world.service_tags) <= release_tags.MOST_TAGS
    emptied(world.service_tags)
    assert canary(world, release="B").code == 0


def test_nor_does_a_promotion_and_its_rollback() -> None:
    world = World()
    assert canary(world, release="A").code == 0
    fill(world.service_tags)
    assert promote(world, release="A", approved_by="somebody").code == 0
    assert (serving(world), rollback(world).code, serving(world)) == ("web:2", 0, "web:1")


def test_a_canary_reserves_no_key_that_is_there() -> None:
    world = start_of("A is promoted")
    before = {key: world.service_tags[key] for key in release_tags.RESERVED}
    assert canary(world, release="B").code == 0
    assert {key: world.service_tags[key] for key in release_tags.RESERVED} == before


@pytest.mark.parametrize("options", [{}, {"canary_only": True}])
def test_where_the_marks_cannot_be_written_the_canary_leaves_nevertheless(options: dict[str, Any]) -> None:
    world = start_of("A is a canary")
    begun_by_hand(world)
    fill(world.service_tags)
    before = dict(world.service_tags)
    assert_gone_and_told(world, rollback(world, **options))
    assert world.service_tags == before


def test_once_a_tag_is_removed_the_same_rollback_finishes() -> None:
    world = start_of("A is a canary")
    begun_by_hand(world)
    fill(world.service_tags)
    assert rollback(world).code == 4
    emptied(world.service_tags)
    end = rollback(world)
    assert (end.code, serving(world), "web:3" in active(world)) == (0, "web:2", False), end.text


def test_a_canary_that_fails_leaves_too() -> None:
    world = start_of("P runs")
    world.delays.healthy = 1000

    def filled() -> None:
        begun_by_hand(world)
        fill(world.service_tags)

    at(world, "after", "RegisterTargets", filled)
    end = canary(world, release="A")
    assert_gone_and_told(world, end)


def test_a_canary_that_fails_on_a_full_service_restores_itself() -> None:
    world = start_of("P runs")
    world.delays.healthy = 1000
    at(world, "after", "RegisterTargets", lambda: fill(world.service_tags))
    end = canary(world, release="A")
    assert (end.code, world.registered(), world.alive()) == (1, [], []), end.text


def test_a_task_full_of_tags_gets_its_verdict() -> None:
    world = start_of("P runs")

    def fill_tasks() -> None:
        for task in world.alive():
            fill(task.tags)

    at(world, "after", "RegisterTargets", fill_tasks)
    end = canary(world, release="A")
    assert (end.code, [task.tags[release_tags.VERDICT] for task in world.alive()]) == (0, ["pass"]), end.text


def test_one_that_filled_it_before_the_canary_makes_it_begin_nothing() -> None:
    world = World()
    world.service_tags |= {f"x{number}": "y" for number in range(release_tags.MOST_TAGS - OUR_TAGS)}
    world.service_tags[f"{release_tags.RAN}migrate"] = "A 0 123"
    end = canary(world, release="A")
    assert (end.code, end.writes) == (3, [])
    assert "has 42 tags; ECS allows 50, and 9 are needed" in end.text


def test_the_keys_of_a_release_and_two_records_are_what_the_preflight_counts() -> None:
    world = World()
    assert canary(world, release="A").code == 0
    assert promote(world, release="A", approved_by="somebody").code == 0
    assert rollback(world).code == 0
    ours = {key for key in world.service_tags if not key.startswith(release_tags.TARGETS)}
    assert len(ours) + 2 == OUR_TAGS
