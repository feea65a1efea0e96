"""A task-definition file may name another family than the service's: what is left there is found as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.canary_world import at
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import canary, promote, rollback
from tests.unit.test_rollback import active

CONTAINERS = [{"name": "app", "image": "x", "portMappings": [{"containerPort": 8000}]}]


@pytest.fixture
def file(tmp_path: Path) -> dict[str, Any]:
    """Settings with such a file."""
    path = tmp_path / "taskdef.json"
    path.write_text(json.dumps({"taskDefinition": {"family": "other", "containerDefinitions": CONTAINERS}}))
    return {"task_definition": str(path)}


def test_a_canary_that_fails_leaves_no_revision(file: dict[str, Any]) -> None:
    world = start_of("P runs")
    world.delays.healthy = 1000
    end = canary(world, release="A", settings={**file, "canary": {"bake": "0s", "healthy_within": "5s"}})
    assert (end.code, active(world)) == (1, ["web:1", "web:2"])


@pytest.mark.parametrize("with_file", [True, False])
def test_a_canary_is_rolled_back_with_its_revision(file: dict[str, Any], *, with_file: bool) -> None:
    world = start_of("P runs")
    assert canary(world, release="A", settings=file).code == 0
    assert "other:1" in active(world)
    assert rollback(world, settings=file if with_file else None).code == 0
    assert active(world) == ["web:1", "web:2"]


def test_a_promoted_release_is_rolled_back_with_its_revision(file: dict[str, Any]) -> None:
    world = start_of("P runs")
    canary(world, release="A", settings=file)
    assert promote(world, settings=file).code == 0
    assert rollback(world).code == 0
    assert active(world) == ["web:1", "web:2"]


def test_a_revision_whose_canary_was_never_started_is_found_by_the_file(file: dict[str, Any]) -> None:
    world = start_of("P runs")

    def die() -> None:
        raise RuntimeError

    at(world, "after", "RegisterTaskDefinition", die)
    with pytest.raises(RuntimeError):
        canary(world, release="A", settings=file)
    world.hook = lambda *_: None
    assert rollback(world, settings=file).code == 0
    assert active(world) == ["web:1", "web:2"]


@pytest.mark.parametrize("text", [None, "", "[", "[]", '{"taskDefinition": 5}', "{}"])
def test_a_file_that_is_none_does_not_keep_a_rollback_from_its_work(tmp_path: Path, text: str | None) -> None:
    world = start_of("A is a canary")
    file = tmp_path / "taskdef.json"
    if text is not None:
        file.write_text(text)
    assert rollback(world, settings={"task_definition": str(file)}).code == 0
    assert active(world) == ["web:1", "web:2"]
