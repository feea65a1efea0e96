"""A steady client behind the load balancer loses no request, whatever a stage does (promise 4)."""

from __future__ import annotations

import pytest

from demo.traffic import Traffic
from tests.emulator.stages.scene import Scene

STORY = [
    ("v2", ("canary", "promote", "rollback")),
    ("v2", ("canary", "rollback")),
    ("crash", ("canary",)),
    ("unhealthy", ("canary",)),
]


@pytest.mark.parametrize(("variant", "stages"), STORY)
def test_no_request_is_lost(scene: Scene, variant: str, stages: tuple[str, ...]) -> None:
    scene.start(2)
    scene.config(canary={"healthy_within": "6s", "bake": "3s"})
    scene.elb.modify_target_group_attributes(
        TargetGroupArn=scene.target_group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "4"}],
    )
    with Traffic(scene.url) as traffic:
        for stage in stages:
            outcome = scene.canary(variant) if stage == "canary" else scene.ecs_pipeline(stage)
            assert outcome.code == (0 if variant == "v2" else 1), outcome.stderr
        traffic.watch(1)
    assert len(traffic.answers) > 50
    assert [one.problem for one in traffic.failures] == []
    if "promote" in stages:
        assert {"v1", "v2"} == {one.body for one in traffic.answers}
