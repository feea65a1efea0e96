"""Hooks of a service run one after the other, whoever started them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.names import digest_of
from tests.fakes.world import World
from tests.unit.canary_world import at, kill_at
from tests.unit.hook_runs import HOOKS, MIGRATE, REVERT, V2, V3, hook_tasks, hooks_run
from tests.unit.stage_runs import canary, rollback

PATIENT = {"canary": {"healthy_within": "10m", "bake": "0s"}}


@pytest.fixture
def world() -> World:
    known = {version: digest_of(version) for version in ("v2", "v3")}
    world = World(images={**known, **{digest: digest for digest in known.values()}})
    world.delays.start = 120
    return world


def killed_while_it_migrates(world: World) -> None:
    """The migration of v2 takes two minutes, and nobody waits for it."""
    kill_at(world, "after", "RunTask", lambda: canary(world, **V2))


def test_the_hook_of_a_rollback_does_not_begin_beside_the_migration(world: World) -> None:
    killed_while_it_migrates(world)
    assert rollback(world, settings=HOOKS).code == 0
    migrate, revert = hook_tasks(world)
    assert migrate.stopped is not None
    assert revert.created >= migrate.stopped


def test_nor_does_the_next_migration(world: World) -> None:
    killed_while_it_migrates(world)
    assert rollback(world, settings={}).code == 0
    end = canary(world, **{**V3, "settings": {**HOOKS, **PATIENT}})
    assert end.code == 0, end.text
    first, second = hook_tasks(world)
    assert first.stopped is not None
    assert second.created >= first.stopped


def test_nor_does_the_same_migration_of_another_turn(world: World) -> None:
    killed_while_it_migrates(world)
    assert rollback(world, settings={}).code == 0
    world.revisions[hook_tasks(world)[0].revision].active = True  # somebody's restored registration
    canary(world, **{**V2, "settings": {**HOOKS, **PATIENT}})
    first, second = hook_tasks(world)
    assert second.created >= (first.stopped or world.now)


@pytest.mark.parametrize(
    ("hooks", "waits"),
    [
        ({"before_canary": [{**MIGRATE, "within": "20s"}], "after_rollback": [REVERT]}, "20s"),
        ({"after_rollback": [{**REVERT, "within": "30s"}]}, "30s"),
    ],
    ids=["the hook's own time", "of a hook that the config has no more"],
)
def test_one_that_goes_on_too_long_is_named(world: World, hooks: dict[str, Any], waits: str) -> None:
    killed_while_it_migrates(world)
    [migrate] = hook_tasks(world)
    end = rollback(world, settings={"hooks": hooks})
    told = f"task {migrate.arn.rpartition('/')[2]} of another hook (release v2) still runs after {waits}"
    assert (end.code, told in end.text) == (4, True), end.text
    assert hooks_run(world) == ["./migrate"]
    world.schedule.now += 200
    world.delays.start = 1
    assert rollback(world, settings={"hooks": hooks}).code == 0
    assert hooks_run(world) == ["./migrate", "./revert"]


def test_each_of_two_has_its_own_time(world: World) -> None:
    """The migration may take longer than the other one, whose time is over first."""
    killed_while_it_migrates(world)
    [migrate] = hook_tasks(world)
    world.run_task({**migrate.parameters, "clientToken": "another", "overrides": {}})
    another = hook_tasks(world)[1]
    hooks = {"before_canary": [{**MIGRATE, "within": "10m"}], "after_rollback": [{**REVERT, "within": "20s"}]}
    begun = world.now
    end = rollback(world, settings={"hooks": hooks})
    told = f"task {another.arn.rpartition('/')[2]} of another hook (release v2) still runs after 20s"
    assert (end.code, told in end.text, world.now < begun + 60) == (4, True, True), end.text


def test_a_rollback_ends_the_wait(world: World) -> None:
    killed_while_it_migrates(world)
    assert rollback(world, settings={}).code == 0
    looks: list[str] = []

    def cancel() -> None:
        looks.append("")
        if len(looks) == 3:
            world.hook = lambda *_: None
            assert rollback(world, release="v3", settings={}).code == 0

    def on_wait() -> None:
        if world.service_tags.get("ecs-pipeline:under-way") == "v3" and len(hook_tasks(world)) == 1:
            cancel()

    at(world, "after", "DescribeTasks", on_wait)
    end = canary(world, **{**V3, "settings": {**HOOKS, **PATIENT}})
    assert (end.code, hooks_run(world)) == (3, ["./migrate"]), end.text


def test_a_one_off_command_is_not_waited_for(world: World) -> None:
    tags = [{"key": f"ecs-pipeline:{key}", "value": value} for key, value in {"service": "web", "role": "run"}.items()]
    revision = world.deployments[0].revision
    world.run_task({"clientToken": "x", "taskDefinition": revision, "startedBy": "run/web", "tags": tags})
    world.delays.start = 1000
    kill_at(world, "after", "RunTask", lambda: canary(world, **V2))
    one_off, hook = hook_tasks(world)
    assert one_off.stopped is None
    assert hook.created < one_off.created + world.delays.start
