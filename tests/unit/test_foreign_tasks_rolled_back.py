"""A rollback beside tasks that no release made."""

from __future__ import annotations

import pytest

from ecs_pipeline.protocol import release_tags
from tests.unit.intruder import evil_revision, forge
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import active, canary, rollback, serving


def test_rollback_of_the_canary_takes_one_away_and_leaves_the_promotion_and_every_revision_alone() -> None:
    world = start_of("A is promoted")
    forged = forge(world, "B", evil_revision(world, "B"))
    end = rollback(world, canary_only=True)
    assert (end.code, end.writes) == (0, ["StopTask"])
    assert forged.stop_asked is not None
    assert (serving(world), "evil:1" in active(world)) == ("web:3", True)
    assert canary(world, release="B").code == 0


def test_a_plain_rollback_undoes_what_it_would_and_takes_one_away_as_well() -> None:
    world = start_of("A is promoted")
    forged = forge(world, "A", world.revisions[next(iter(world.revisions))].arn)
    assert rollback(world).code == 0
    assert (serving(world), forged.stop_asked is not None) == ("web:2", True)
    assert active(world) == ["web:1", "web:2"]
    assert not list(clean(world))


def test_a_rollback_of_another_release_leaves_one_alone() -> None:
    world = start_of("A is promoted")
    forged = forge(world, "B", evil_revision(world, "B"))
    end = rollback(world, release="Z")
    assert (end.code, end.writes, forged.stop_asked) == (0, [], None)


@pytest.mark.parametrize("family", ["billing", "web"])
def test_a_good_revision_that_a_forged_task_ran_is_not_deregistered(family: str) -> None:
    world = start_of("A is a canary")
    good = evil_revision(world, "A" if family == "billing" else "Q", family=family, image="r/billing@sha256:1")
    forge(world, "A", good)
    assert rollback(world).code == 0
    assert world.alive() == []
    assert world.revisions[good].active


def test_a_good_revision_of_another_turns_forged_task_is_not_deregistered() -> None:
    world = start_of("A was rolled back")
    good = evil_revision(world, "Q", family="web", image="r/web@sha256:1")
    forge(world, "A", good, tags={release_tags.EPOCH: "abc/Q"})
    assert rollback(world).code == 0
    assert world.alive() == []
    assert world.revisions[good].active
