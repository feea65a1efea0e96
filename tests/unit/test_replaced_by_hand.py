"""A release that was promoted stays good, whoever took it off and whatever tags a task of it has."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.protocol import release_tags
from tests.fakes.world import World
from tests.unit.canary_world import at, kill_at
from tests.unit.intruder import forge, the_lock
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import arn_of, canary, promote, rollback, serving


def taken_off_by_hand() -> World:
    """A (web:3) was promoted; somebody sent the service back to web:2, and no rollback did."""
    world = start_of("A is promoted")
    world.update_service(arn_of(world, "web:2"))
    world.schedule.now += 60
    world.deployments = [world.deployments[0]]
    world.deployments[0].rollout = "COMPLETED"
    return world


def replaced() -> World:
    """And then C (web:4) was promoted in the same epoch."""
    world = taken_off_by_hand()
    assert canary(world, release="C").code == promote(world, release="C").code == 0
    return world


def forged(world: World) -> None:
    """A task of A's good revision, with the tags of its release."""
    forge(world, "A", arn_of(world, "web:3"))
    world.schedule.now += 30


@pytest.mark.parametrize("options", [{}, {"release": "C"}, {"canary_only": True}, {"release": "A"}])
def test_no_rollback_deregisters_it(options: dict[str, Any]) -> None:
    world = replaced()
    forged(world)
    end = rollback(world, **options)
    assert (end.code, world.revisions[arn_of(world, "web:3")].active) == (0, True), end.text
    assert world.alive() == []


def test_a_plain_rollback_takes_the_task_away_and_undoes_the_promotion() -> None:
    world = replaced()
    forged(world)
    assert (rollback(world).code, serving(world), world.alive()) == (0, "web:2", [])
    assert not world.revisions[arn_of(world, "web:4")].active


def test_without_a_load_balancer_promote_does_not_take_it_for_the_canary() -> None:
    world = replaced()
    world.with_load_balancer = False
    forged(world)
    end = promote(world)
    assert (end.code, serving(world)) == (0, "web:4"), end.text
    assert promote(world, release="A").code == 3
    assert serving(world) == "web:4"


def test_the_refusal_says_why() -> None:
    world = replaced()
    forged(world)
    end = canary(world, release="D")
    assert end.code == 3
    assert "it runs web:3, which was promoted and then replaced" in end.text


def test_nor_is_it_a_canary_by_the_token_that_the_next_one_comes_to() -> None:
    world = replaced()
    at(world, "before", "RunTask", lambda: forge(world, "A", arn_of(world, "web:3"), token=the_lock(world)))
    end = canary(world, release="D")
    assert (end.code, world.service_tags[release_tags.UNDER_WAY]) == (3, "D"), end.text
    assert world.revisions[arn_of(world, "web:5")].active


@pytest.mark.parametrize("options", [{}, {"release": "C"}])
def test_a_dead_canary_is_what_goes_and_not_the_promoted_release(options: dict[str, Any]) -> None:
    world = start_of("A is promoted")
    assert canary(world, release="C").code == 0
    world.stop_task(world.alive()[0].arn, "it ended by itself")
    world.schedule.now += 60
    forged(world)
    end = rollback(world, **options)
    assert (end.code, serving(world), world.alive()) == (0, "web:3", []), end.text
    assert world.revisions[arn_of(world, "web:3")].active
    assert release_tags.parse_epoch(world.service_tags[release_tags.EPOCH]).cancelled == "C"


def test_the_release_may_be_started_again_and_gets_a_revision_of_its_own() -> None:
    world = replaced()
    assert canary(world, release="A").code == promote(world, release="A").code == 0
    assert (serving(world), world.revisions[arn_of(world, "web:3")].active) == ("web:5", True)


def test_before_the_next_release_it_is_promoted_again_as_it_is() -> None:
    world = taken_off_by_hand()
    assert canary(world, release="A").code == promote(world, release="A").code == 0
    assert serving(world) == "web:3"


@pytest.mark.parametrize("count", [1, 2])
def test_a_promotion_that_was_killed_marks_the_revision_before_it_tells_the_service(count: int) -> None:
    world = start_of("A is a canary")
    kill_at(world, "after", "TagResource", lambda: promote(world, release="A"), count=count)
    assert serving(world) == "web:2"
    assert promote(world, release="A").code == 0
    assert (serving(world), world.revisions[arn_of(world, "web:3")].tags[release_tags.PROMOTED]) == ("web:3", "yes")


def test_a_revision_that_somebody_filled_up_is_marked_nevertheless() -> None:
    world = start_of("A is a canary")
    tags = world.revisions[arn_of(world, "web:3")].tags
    tags |= {f"x{number}": "y" for number in range(release_tags.MOST_TAGS - len(tags))}
    assert promote(world, release="A").code == 0
    assert tags[release_tags.PROMOTED] == "yes"
