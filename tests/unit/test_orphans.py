"""Targets whose task is gone: taken out once it is proven that no running task has their address by now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ecs_pipeline.engine.run import Run
from ecs_pipeline.model.load_balancing import Registration, Target
from ecs_pipeline.protocol import release_tags
from ecs_pipeline.protocol.observe import SERVICE_LAG, TASKS_LAG
from ecs_pipeline.steps import orphans, removal
from tests.fakes.names import utc
from tests.fakes.ports import new_run
from tests.fakes.resources import FakeDeployment
from tests.fakes.world import World
from tests.unit.canary_world import at
from tests.unit.facts import GROUP, revision, task
from tests.unit.protocol.simulation import clean, start_of
from tests.unit.stage_runs import rollback

ADDRESS = "10.0.0.9"
TARGET = Target(GROUP, ADDRESS, 8000)


def with_target() -> tuple[World, Run]:
    """A service at rest, and the address of a canary that is gone in its target group."""
    world = World()
    world.targets[TARGET.key] = (world.now, None)
    return world, new_run(world, "rollback", [])


def rolling(world: World) -> None:
    """The service starts tasks."""
    world.deployments.insert(0, FakeDeployment("ecs-svc/9", next(iter(world.revisions)), world.now))
    world.delays.rollout = 600


def taken(world: World, *, listed_after: float) -> None:
    """A task of the service has the address, and ListTasks names it later."""
    world.service_tasks.append((world.now + listed_after, ADDRESS))


def remove(world: World, run: Run, *, owner: str = "", draining: bool = False) -> tuple[list[Target], float]:
    """What was taken out, and how many seconds that took."""
    begun = world.now
    return orphans.remove(run, [Registration(TARGET, draining, owner)], removal.plainly), world.now - begun


def test_the_whole_cluster_is_listed_once_at_the_end_and_its_word_counts() -> None:
    world, run = with_target()
    assert remove(world, run)[0] == [TARGET]
    assert world.scans == 1
    world, run = with_target()
    world.other_tasks.append(task("another", address=ADDRESS, revision=revision(1, "worker"), group="service:worker"))
    assert (remove(world, run)[0], world.registered()) == ([], [TARGET.key])


def test_where_the_service_is_at_rest_and_all_its_tasks_are_listed_it_goes_soon() -> None:
    world, run = with_target()
    removed, seconds = remove(world, run)
    assert (removed, world.registered()) == ([TARGET], [])
    assert SERVICE_LAG <= seconds < SERVICE_LAG + 2


def test_while_the_service_starts_tasks_it_goes_only_when_a_task_that_has_it_would_be_listed() -> None:
    world, run = with_target()
    rolling(world)
    removed, seconds = remove(world, run)
    assert (removed, world.registered()) == ([TARGET], [])
    assert seconds >= TASKS_LAG


def test_a_task_of_the_service_that_is_listed_late_keeps_its_target() -> None:
    world, run = with_target()
    rolling(world)
    taken(world, listed_after=TASKS_LAG - 1)
    removed, _ = remove(world, run)
    assert (removed, world.registered(), "DeregisterTargets" in world.writes()) == ([], [TARGET.key], False)


def test_a_service_that_has_more_tasks_than_are_listed_is_not_at_rest() -> None:
    world, run = with_target()
    world.service_tasks.pop()
    taken(world, listed_after=SERVICE_LAG + 2)
    assert remove(world, run)[0] == []


@pytest.mark.parametrize("members", [{"running": 2}, {"pending": 1}], ids=["misses one", "starts one"])
def test_a_service_that_misses_a_task_or_starts_one_is_not_at_rest(
    monkeypatch: pytest.MonkeyPatch, members: dict[str, Any]
) -> None:
    world, run = with_target()
    read = run.ecs.service
    monkeypatch.setattr(run.ecs, "service", lambda: replace(read(), **members))
    taken(world, listed_after=SERVICE_LAG + 2)
    assert remove(world, run)[0] == []


def test_a_late_read_of_the_service_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    world, run = with_target()
    read, stale, until = run.ecs.service, run.ecs.service(), world.now + SERVICE_LAG - 0.1
    rolling(world)
    taken(world, listed_after=SERVICE_LAG + 2)
    monkeypatch.setattr(run.ecs, "service", lambda: stale if world.now < until else read())
    assert remove(world, run)[0] == []


@pytest.mark.parametrize(("owner", "draining"), [("arn:aws:ecs:…:task/prd/1", False), ("", True)])
def test_what_a_task_has_or_what_leaves_already_is_not_asked_about(owner: str, draining: bool) -> None:  # noqa: FBT001
    world, run = with_target()
    world.log.clear()
    assert remove(world, run, owner=owner, draining=draining) == ([], 0)
    assert world.log == []


def test_a_rollback_leaves_the_services_new_task_the_address_that_the_promoted_canary_had() -> None:
    world = start_of("A is promoted")
    (recorded, *_) = release_tags.parse_service(world.service_tags).targets
    assert recorded.recorded <= utc(world.now)

    def starts() -> None:
        world.targets[recorded.identity, recorded.port] = (world.now, None)
        world.service_tasks.append((world.now + 3, recorded.identity))

    at(world, "after", "UpdateService", starts)
    end = rollback(world)
    assert (end.code, "DeregisterTargets" in end.writes) == (0, False)
    assert (recorded.identity, recorded.port) in world.registered()
    assert {*clean(world)} == {"a target without a living task"}
