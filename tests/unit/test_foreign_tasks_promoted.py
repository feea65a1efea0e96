"""Promote and judge beside tasks that no release made: refused, or promoted without them."""

from __future__ import annotations

import pytest

from ecs_pipeline.protocol import release_tags
from ecs_pipeline.stages.judge import STEPS, judge
from tests.fakes.names import names
from tests.fakes.ports import new_run
from tests.unit.intruder import evil_revision, forge, in_traffic
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import promote, rollback, serving


def test_promote_refuses_one_and_promotes_nothing() -> None:
    world = start_of("P runs")
    forged = forge(world, "B", evil_revision(world, "B"))
    for options in ({"release": "B"}, {"release": "B", "unjudged": True}):
        end = promote(world, **options)
        assert (end.code, end.writes) == (3, [])
        assert f"task {forged.arn[-32:]}" in end.text
    told = promote(world).message("preflight")
    assert told == "release P: web:2 is promoted already, and no canary lives: nothing was changed"
    assert serving(world) == "web:2"


def test_beside_the_canary_one_is_told_and_the_canary_is_promoted() -> None:
    world = start_of("A is a canary")
    (mine,) = world.alive()
    forged = forge(world, "A", evil_revision(world, "A"))
    forged.created = mine.created - 100
    end = promote(world, release="A")
    assert end.code == 0
    assert (serving(world), names([mine.revision])) == ("web:3", ["web:3"])
    assert any(line.startswith(f"task {forged.arn[-32:]} has the tags of") for line in end.run.recorder.record.notes)
    assert forged.stop_asked is None
    assert not in_traffic(world, forged)


def test_judge_refuses_one() -> None:
    world = start_of("P runs")
    forge(world, "B", evil_revision(world, "B"))
    with pytest.raises(Exception, match="it runs evil:1, which is of another family") as caught:
        judge(new_run(world, "judge", STEPS), "")
    assert caught.value.exit_code == 3  # type: ignore[attr-defined]


def test_a_canary_whose_index_was_made_unreadable_is_promoted() -> None:
    world = start_of("A is a canary")
    world.alive()[0].tags[release_tags.INDEX] = "first"
    end = promote(world, release="A")
    assert (end.code, serving(world)) == (0, "web:3")
    assert any("ecs-pipeline:index" in line for line in end.run.recorder.record.notes)


def test_a_canary_that_was_tagged_as_another_services_leaves_the_traffic_and_is_told() -> None:
    world = start_of("A is a canary")
    (mine,) = world.alive()
    mine.tags[release_tags.SERVICE] = "api"
    end = rollback(world)
    assert end.code == 0
    assert (world.registered(), mine.stop_asked) == ([], None)
    assert any("is not stopped" in line for line in end.run.recorder.record.notes)
