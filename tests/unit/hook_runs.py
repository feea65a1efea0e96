"""Hooks of a release in memory: their config, the tasks that ran them, one that fails."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.names import REGISTRY, digest_of
from tests.fakes.resources import FakeTask
from tests.fakes.world import World

MIGRATE = {"name": "migrate", "command": ["./migrate", "--all"]}
PURGE = {"name": "purge", "command": ["./purge"]}
REVERT = {"name": "revert", "command": ["./revert"]}
HOOKS: dict[str, Any] = {
    "hooks": {"before_canary": [MIGRATE], "after_promote": [PURGE], "after_rollback": [REVERT]},
}
V2: dict[str, Any] = {"image": f"{REGISTRY}/web:v2", "release": "v2", "settings": HOOKS}


@pytest.fixture
def world() -> World:
    return World(images={"v2": digest_of("v2"), digest_of("v2"): digest_of("v2")})


def hook_tasks(world: World) -> list[FakeTask]:
    """The tasks of hooks in the order in which they were started."""
    return [task for task in world.tasks.values() if task.started_by == "run/web"]


def hooks_run(world: World) -> list[str]:
    """The programs that hooks ran."""
    return [task.parameters["overrides"]["containerOverrides"][0]["command"][0] for task in hook_tasks(world)]


def failing(world: World, code: int | None = 7) -> World:
    """From now on hooks end with that exit code."""
    world.command_code = code
    return world


V3: dict[str, Any] = {**V2, "image": f"{REGISTRY}/web:v3", "release": "v3"}
