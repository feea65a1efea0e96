"""A baseline on real containers: beside the canary, and gone with it."""

from __future__ import annotations

import pytest

from tests.emulator.stages.scene import Scene


@pytest.mark.parametrize("way", ["promote", "rollback"])
def test_a_baseline_runs_beside_the_canary_and_goes_with_it(scene: Scene, way: str) -> None:
    before = scene.start(1)
    scene.config(canary={"bake": "1s", "baseline": True})
    end = scene.canary("v2")
    assert end.code == 0, end.stderr
    assert before in {one["taskDefinitionArn"] for one in scene.canaries()}
    assert len(scene.canaries()) == 2
    assert len(scene.registered()) == 3
    assert len(end.report["canary"]["tasks"]) == 1
    assert end.report["canary"]["share"] == 50.0
    assert scene.ecs_pipeline(way).code == 0
    assert scene.revisions()[0] == 1
    scene.assert_nothing_left()
