"""What AWS takes away of a canary (Spot, infrastructure, a registry's throttle) is run anew, with real containers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.embedded_aws.environment import wait_for
from tests.emulator.stages.meanwhile import while_running
from tests.emulator.stages.scene import Scene


def test_a_pull_that_is_throttled_is_tried_again(scene: Scene) -> None:
    scene.start(1)
    scene.server.configure(throttled_pulls=1)
    canary = scene.canary("v2")
    assert canary.code == 0, canary.stderr
    assert "toomanyrequests" in canary.stderr
    assert "another is run in its place" in canary.stderr
    assert len(scene.canaries()) == 1


@pytest.mark.parametrize("code", ["SpotInterruption", "TerminationNotice", "InfrastructureHealth"])
def test_a_canary_that_is_taken_away_in_its_bake_is_replaced_and_baked_anew(scene: Scene, code: str) -> None:
    scene.start(2)
    scene.config(canary={"bake": "4s"})
    first: list[Any] = []

    def take_away() -> None:
        wait_for(lambda: len(scene.registered()) == 3 and len(scene.states()) == scene.states().count("healthy"))
        first.extend(scene.canaries())
        scene.server.configure(taken_away={first[0]["taskArn"]: code})

    image = scene.images.uri("v2")
    canary = while_running(scene, take_away, "canary", "--image", image, "--release", "v2")
    assert canary.code == 0, canary.stderr
    assert code in canary.stderr
    (second,) = scene.canaries()
    assert second["taskArn"] != first[0]["taskArn"]
    assert {tag["key"]: tag["value"] for tag in second["tags"]}["ecs-pipeline:verdict"] == "pass"
    assert len(scene.registered()) == 3
    assert scene.ecs_pipeline("promote").code == 0
    scene.assert_nothing_left()
