"""A task-definition file may name another family than the service's: what is left there is found as well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.names import names
from tests.fakes.world import World
from tests.unit.canary_world import at
from tests.unit.protocol.simulation import start_of
from tests.unit.stage_runs import active, canary, promote, rollback

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


def test_a_canary_is_rolled_back_with_its_revision(file: dict[str, Any]) -> None:
    world = start_of("P runs")
    assert canary(world, release="A", settings=file).code == 0
    assert "other:1" in active(world)
    assert rollback(world, settings=file).code == 0
    assert active(world) == ["web:1", "web:2"]


def test_without_the_file_a_canary_goes_and_its_revision_stays_until_the_file_is_at_hand(file: dict[str, Any]) -> None:
    world = start_of("P runs")
    assert canary(world, release="A", settings=file).code == 0
    assert rollback(world).code == 0
    assert (world.alive(), world.registered()) == ([], [])
    assert active(world) == ["web:1", "web:2", "other:1"]
    assert rollback(world, settings=file).code == 0
    assert active(world) == ["web:1", "web:2"]


def test_back_to_the_old_family_a_promoted_release_goes_by_the_revisions_name(file: dict[str, Any]) -> None:
    world = start_of("P runs")
    canary(world, release="A", settings=file)
    assert promote(world, settings=file).code == 0
    refused = rollback(world, settings=file)
    assert (refused.code, refused.writes) == (3, [])
    assert "the ecs-pipeline tags of prd/web name web:2 as previous: no revision of its family other" in refused.text
    assert rollback(world, to="web:2", settings=file).code == 0
    assert active(world) == ["web:1", "web:2"]


def test_the_next_release_of_the_new_family_goes_all_the_way(file: dict[str, Any]) -> None:
    world = start_of("P runs")
    for release in ("A", "B"):
        assert canary(world, release=release, settings=file).code == 0
        assert promote(world, settings=file).code == 0
    assert rollback(world).code == 0
    assert active(world) == ["web:1", "web:2", "other:1"]


def test_a_canary_of_the_new_family_is_rolled_back_and_the_way_to_the_old_one_stays_told(file: dict[str, Any]) -> None:
    world = start_of("P runs")
    canary(world, release="A", settings=file)
    assert promote(world, settings=file).code == 0
    assert canary(world, release="B", settings=file).code == 0
    assert rollback(world, settings=file).code == 0
    assert (world.alive(), active(world)) == ([], ["web:1", "web:2", "other:1"])
    assert world.marks()["previous"].endswith("web:2")


def test_a_rollout_to_the_new_family_that_fails_goes_back_to_the_old_one(file: dict[str, Any]) -> None:
    world = start_of("P runs")
    assert canary(world, release="A", settings=file).code == 0
    world.breaker = False
    world.bad_images[world.revisions[active_arn(world, "other:1")].image] = "rollout"
    assert promote(world, settings=file).code == 1
    assert (names([world.deployments[0].revision]), world.alive()) == (["web:2"], [])
    assert active(world) == ["web:1", "web:2"]


def active_arn(world: World, name: str) -> str:
    return next(arn for arn in world.revisions if arn.endswith(f"/{name}"))


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
