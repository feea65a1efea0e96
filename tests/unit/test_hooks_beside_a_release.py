"""Hooks of a release beside another release that began at the same time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.names import digest_of
from tests.fakes.world import World
from tests.unit.canary_world import at, kill_at, once
from tests.unit.hook_runs import V2, V3, failing, hook_tasks, hooks_run
from tests.unit.stage_runs import canary

PLAIN_V3: dict[str, Any] = {**V3, "settings": {}}


@pytest.fixture
def world() -> World:
    known = {version: digest_of(version) for version in ("v2", "v3")}
    return World(images={**known, **{digest: digest for digest in known.values()}})


def active(world: World, name: str) -> bool:
    """Whether a revision, FAMILY:NUMBER, can be run."""
    return next(revision.active for arn, revision in world.revisions.items() if arn.endswith(f"/{name}"))


def test_a_hook_that_fails_beside_another_release_s_canary_leaves_that_alone(world: World) -> None:
    once(world, "after", "RunTask", lambda: canary(world, **PLAIN_V3))
    end = canary(failing(world), **V2)
    assert (end.code, end.message("restore")) == (1, "the service runs web:1; release v3 is under way, and stays")
    assert end.text.endswith("start it again; the service runs web:1, beside release v3")
    assert (active(world, "web:2"), active(world, "web:3")) == (False, True)
    assert [task.started_by for task in world.alive()] == ["canary/web"]
    assert world.service_tags["ecs-pipeline:under-way"] == "v3"
    assert hooks_run(world) == ["./migrate"]


def test_so_does_one_beside_a_release_that_has_no_canary_yet(world: World) -> None:
    def v3_begins() -> None:
        kill_at(world, "before", "RunTask", lambda: canary(world, **PLAIN_V3))

    once(world, "after", "RunTask", v3_begins)
    end = canary(failing(world), **V2)
    assert (end.code, "release v3 is under way" in end.message("restore")) == (1, True), end.message("restore")
    assert (active(world, "web:2"), active(world, "web:3")) == (False, True)
    assert world.service_tags["ecs-pipeline:under-way"] == "v3"


def test_no_hook_runs_beside_another_release_s_canary(world: World) -> None:
    def v3_comes() -> None:
        kill_at(world, "before", "RegisterTargets", lambda: canary(world, **PLAIN_V3))

    once(world, "after", "RegisterTaskDefinition", v3_comes)
    end = canary(world, **V2)
    assert (end.code, hooks_run(world)) == (3, []), end.text
    assert "release v3 holds prd/web" in end.text
    assert (active(world, "web:2"), active(world, "web:3")) == (False, True)
    assert world.service_tags["ecs-pipeline:under-way"] == "v3"


def test_of_two_releases_that_begin_together_the_later_one_runs_its_hooks(world: World) -> None:
    def v3_begins() -> None:
        kill_at(world, "after", "RunTask", lambda: canary(world, **V3))

    once(world, "after", "RegisterTaskDefinition", v3_begins)
    end = canary(world, **V2)
    assert end.code == 3
    assert end.text.startswith("release v3 began at prd/web after release v2, whose hooks do not run beside it"), (
        end.text
    )
    assert not active(world, "web:2")
    assert [task.revision[-5:] for task in hook_tasks(world)] == ["web:3"]
    assert canary(world, **V3).code == 0
    assert hooks_run(world) == ["./migrate"]


@pytest.mark.parametrize("number", range(6))
def test_a_stale_read_of_the_mark_stops_no_hook(world: World, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = World.service_facts
    reads: list[str] = []

    def behind(self: World) -> Any:
        seen = facts(self)
        if not any(name == "RegisterTaskDefinition" for _, name, _ in self.log):
            return seen
        reads.append("")
        return replace(seen, marks=replace(seen.marks, under_way="v1")) if len(reads) == number + 1 else seen

    monkeypatch.setattr(World, "service_facts", behind)
    assert canary(world, **V2).code == 0
    assert hooks_run(world) == ["./migrate"]


def test_a_hook_that_waited_looks_again(world: World) -> None:
    """The hook of v2 runs when v3 begins; v2's canary lives when that one has ended."""
    world.delays.start = 60
    patient = {"canary": {"healthy_within": "10m", "bake": "0s"}}
    kill_at(world, "after", "RunTask", lambda: canary(world, **V2))
    looks: list[str] = []
    ended: list[int] = []

    def v2_goes_on() -> None:
        looks.append(world.service_tags.get("ecs-pipeline:under-way", ""))
        if looks.count("v3") == 2 and not ended:
            ended.append(0)
            world.schedule.now += 100
            ended[0] = canary(world, **{**V2, "settings": {**V2["settings"], **patient}}).code

    at(world, "before", "DescribeTasks", v2_goes_on)
    end = canary(world, **{**V3, "settings": {**V3["settings"], **patient}})
    assert (ended, end.code, hooks_run(world)) == ([0], 3, ["./migrate"]), end.text


def test_two_releases_never_migrate_at_once(world: World) -> None:
    once(world, "after", "RunTask", lambda: canary(world, **V3))
    assert canary(world, **V2).code == 3
    first, second = hook_tasks(world)
    assert first.stopped is not None
    assert second.created >= first.stopped
