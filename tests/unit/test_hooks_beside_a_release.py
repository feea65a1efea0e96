"""Hooks of a release beside another release that began at the same time."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.world import World, digest_of
from tests.unit.canary_world import kill_at, once
from tests.unit.stage_runs import canary
from tests.unit.test_hook_occasions import V3
from tests.unit.test_hooks import V2, failing, hooks_run

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
