"""What `promote` calls not well any more, `canary` does not call done: it puts it right, or says how to."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes.load_balancing import FakeElb
from tests.fakes.world import World
from tests.unit.canary_world import dies
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import canary, promote, rollback, serving

TWO = {"canary": {"bake": "2s", "healthy_within": "30s", "tasks": 2}}


def deregistered(world: World) -> None:
    world.revisions[world.alive()[0].revision].active = False


def unregistered(world: World) -> None:
    world.targets.clear()


def draining(world: World) -> None:
    (key,) = world.targets
    world.targets[key] = (world.now, world.now)


def not_checked_yet(world: World) -> None:
    """The target was registered anew a moment ago: it is `initial`."""
    (key,) = world.targets
    world.targets[key] = (world.now, None)


def starting(world: World) -> None:
    """ECS shows the task as PENDING."""
    world.alive()[0].created = world.now


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (deregistered, "web:3 was deregistered"),
        (unregistered, "is not registered"),
        (draining, "is not registered"),
        (not_checked_yet, "is initial"),
        (starting, "is PENDING"),
    ],
)
def test_what_promote_refuses_canary_puts_right(harm: Callable[[World], None], words: str) -> None:
    world = start_of("A is a canary")
    harm(world)
    refused = promote(world, release="A")
    assert (refused.code, refused.writes) == (3, [])
    assert words in refused.text
    assert "run `canary` again" in refused.text
    again = canary(world, release="A")
    assert again.code == 0, again.text
    assert "done already" not in again.message("preflight")
    assert promote(world, release="A").code == 0
    assert not list(clean(world))


def test_a_canary_whose_revision_was_deregistered_runs_a_new_one_afterwards() -> None:
    world = start_of("A is a canary")
    deregistered(world)
    old = world.alive()[0]
    again = canary(world, release="A")
    (new,) = world.alive()
    assert (again.code, new.arn != old.arn, world.revisions[new.revision].active) == (0, True, True)
    assert again.writes.index("DeregisterTargets") < again.writes.index("StopTask") < again.writes.index("RunTask")
    assert world.registered() == [(new.address, 8000)]


def test_a_dry_run_says_that_the_canary_is_started_anew() -> None:
    world = start_of("A is a canary")
    deregistered(world)
    end = canary(world, release="A", dry_run=True)
    task = world.alive()[0].arn.rpartition("/")[2]
    assert (end.code, end.writes) == (0, [])
    assert end.run.recorder.record.plan[:2] == ["take 10.0.0.4:8000 out of the traffic", f"stop task {task}"]
    assert end.message("tasks") == "would run 1 task of web:new"


def test_one_of_two_tasks_that_stopped_is_replaced() -> None:
    world = start_of("P runs")
    assert canary(world, release="A", settings=TWO).code == 0
    dies(world, 1)
    refused = promote(world, release="A")
    assert (refused.code, "1 of its tasks stopped" in refused.text) == (3, True)
    assert canary(world, release="A", settings=TWO).code == 0
    assert len(world.alive()) == 2
    assert promote(world, release="A").code == 0


@pytest.mark.parametrize(("fate", "words"), [("unhealthy", "is unhealthy"), ("sick", "is UNHEALTHY")])
def test_one_that_stays_unhealthy_is_restored(fate: str, words: str) -> None:
    world = start_of("A is a canary")
    revision = world.revisions[world.alive()[0].revision]
    if fate == "sick":
        for each in world.revisions.values():
            each.definition["containerDefinitions"][0]["healthCheck"] = {"command": ["CMD", "true"]}
    world.bad_images[revision.image] = fate
    refused = promote(world, release="A")
    assert (refused.code, words in refused.text) == (3, True), refused.text
    again = canary(world, release="A")
    assert (again.code, world.alive(), serving(world)) == (1, [], "web:2"), again.text
    assert not list(clean(world))


def test_a_target_group_that_was_deleted_is_told_by_both(monkeypatch: pytest.MonkeyPatch) -> None:
    world = start_of("A is a canary")
    monkeypatch.setattr(FakeElb, "target_group", lambda _self, _arn: None)
    refused = promote(world, release="A")
    assert (refused.code, "target group web was deleted" in refused.text) == (3, True)
    again = canary(world, release="A")
    assert (again.code, again.writes) == (3, [])
    assert again.text.startswith("target group web of prd/web was deleted; ")
    assert "`rollback --release A`" in again.text
    assert rollback(world).code == 0
    assert world.alive() == []


def test_a_release_that_the_service_runs_is_done_whatever_became_of_its_canary() -> None:
    world = start_of("A is a canary")
    world.update_service(world.alive()[0].revision)
    world.service_tags |= {
        "ecs-pipeline:release": "A",
        "ecs-pipeline:wanted": world.alive()[0].revision,
        "ecs-pipeline:previous": next(arn for arn in world.revisions if arn.endswith("web:2")),
    }
    unregistered(world)
    end = canary(world, release="A")
    assert (end.code, end.writes) == (0, [])
