"""The service was deleted while a canary lived: a rollback takes away what is left of the release."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.protocol.observe import Observer
from tests.fakes.ecs import FakeEcs
from tests.fakes.world import World
from tests.unit.canary_world import at
from tests.unit.intruder import evil_revision, forge
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import active, canary, promote, rollback

WRITES = ["DeregisterTargets", "DeregisterTaskDefinition", "StopTask"]


@pytest.mark.parametrize("options", [{}, {"release": "A"}, {"canary_only": True}])
def test_a_rollback_drains_and_stops_what_lives_and_deregisters_its_revision(options: dict[str, Any]) -> None:
    world = start_of("A is a canary")
    world.deleted = True
    end = rollback(world, **options)
    assert (end.code, end.release, end.writes) == (0, "A", WRITES)
    assert (world.alive(), world.targets, active(world)) == ([], {}, ["web:1", "web:2"])
    assert end.message("preflight").startswith("the service was deleted: take ")


def test_a_service_that_lives_is_never_taken_for_a_deleted_one() -> None:
    world = World()
    forge(world, "B", world.deployments[0].revision)
    world.revisions[world.deployments[0].revision].forgotten = True
    end = rollback(world)
    assert (end.code, end.writes, len(world.alive())) == (2, [], 1), end.text


@pytest.mark.parametrize("write", WRITES)
def test_a_rollback_that_died_is_finished_by_the_next(write: str) -> None:
    world = start_of("A is a canary")
    world.deleted = True

    def die() -> None:
        raise RuntimeError

    at(world, "after", write, die)
    with pytest.raises(RuntimeError):
        rollback(world)
    world.hook = lambda *_: None
    assert rollback(world).code == (2 if write == "StopTask" else 0)
    assert (world.alive(), world.targets, active(world)) == ([], {}, ["web:1", "web:2"])


def test_a_dry_run_writes_nothing() -> None:
    world = start_of("A is a canary")
    world.deleted = True
    end = rollback(world, dry_run=True)
    assert (end.code, end.writes, len(world.alive())) == (0, [], 1)
    (task,), ((address, port),) = world.alive(), world.registered()
    assert end.run.recorder.record.plan == [
        f"take {address}:{port} out of the traffic",
        "deregister web:3",
        f"stop task {task.arn.rpartition('/')[2]}",
    ]
    assert end.message("preflight").startswith("the service was deleted: would take ")


@pytest.mark.parametrize(
    ("start", "options"), [("P runs", {}), ("A is a canary", {"release": "B"}), ("A is a canary", {"to": "web:1"})]
)
def test_where_nothing_of_it_is_left_there_is_no_such_service(start: str, options: dict[str, Any]) -> None:
    world = start_of(start)
    world.deleted = True
    end = rollback(world, **options)
    assert (end.code, end.writes) == (2, [])
    assert "no service web in cluster prd" in end.text


@pytest.mark.parametrize(("family", "goes"), [("web", True), ("", False)])
def test_of_a_service_that_ecs_forgot_only_a_revision_of_the_configs_family_goes(
    monkeypatch: pytest.MonkeyPatch, family: str, *, goes: bool
) -> None:
    world = start_of("A is a canary")
    theirs = evil_revision(world, "R", family="billing", image="r/billing@sha256:1")
    forge(world, "R", theirs)
    world.deleted = True
    monkeypatch.setattr(FakeEcs, "deleted_service", lambda _self: None)
    monkeypatch.setattr(Observer, "families", frozenset({family} - {""}))
    end = rollback(world)
    assert (end.code, world.alive(), "web:3" in active(world)) == (0, [], not goes), end.text
    assert world.revisions[theirs].active


def test_the_other_stages_have_no_service_either() -> None:
    world = start_of("A is a canary")
    world.deleted = True
    assert [canary(world, release="A").code, promote(world).code] == [2, 2]


def test_a_revision_that_another_task_runs_stays() -> None:
    """A task of the deleted service's own, which ECS has not stopped yet, or somebody's."""
    world = start_of("A is a canary")
    world.deleted = True
    world.deployments[0].revision = world.alive()[0].revision
    end = rollback(world)
    assert (end.code, end.writes) == (0, ["DeregisterTargets", "StopTask"])
    assert (world.alive(), "web:3" in active(world)) == ([], True)
    assert end.message("deregister") == "unchanged"
