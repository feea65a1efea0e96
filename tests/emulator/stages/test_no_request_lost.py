"""A steady client behind the load balancer loses no request, whatever a stage does.

The app drops what it is answering when it is told to stop: only draining before saves those requests.
"""

from __future__ import annotations

from typing import Any

import pytest

from demo.traffic import Traffic
from tests.emulator.stages.scene import Scene

WRONG_BODY = {"name": "body", "http": {"path": "/", "body": "v9"}, "interval": "300ms", "failures": 2, "of": 2}
GROWING = {"baseline": True, "steps": [{"tasks": 1, "bake": "1s"}, {"tasks": 2, "bake": "2s"}]}
STORY: list[Any] = [
    pytest.param("v2", ["canary", "promote", "rollback"], [0, 0, 0], {}, id="promoted and rolled back"),
    pytest.param("v2", ["canary", "rollback"], [0, 0], {}, id="canary rolled back"),
    pytest.param("v2", ["canary", "promote"], [0, 0], GROWING, id="two sizes with a baseline, promoted"),
    pytest.param("v2", ["canary"], [1], {"checks": [WRONG_BODY]}, id="canary that serves, but fails its check"),
    pytest.param("crash", ["canary"], [1], {}, id="canary that crashes"),
    pytest.param("unhealthy", ["canary"], [1], {"healthy_within": "6s"}, id="canary that is unhealthy"),
]


@pytest.mark.parametrize(("variant", "stages", "codes", "canary"), STORY)
def test_no_request_is_lost(
    scene: Scene, variant: str, stages: list[str], codes: list[int], canary: dict[str, Any]
) -> None:
    scene.start(2, container={"environment": [{"name": "ABRUPT", "value": "1"}]})
    scene.config(canary={"healthy_within": "60s", "bake": "3s", **canary})
    scene.elb.modify_target_group_attributes(
        TargetGroupArn=scene.target_group,
        Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "4"}],
    )
    with Traffic(scene.url) as traffic:
        outcomes = [scene.canary(variant) if stage == "canary" else scene.ecs_pipeline(stage) for stage in stages]
        traffic.watch(1)
    assert [outcome.code for outcome in outcomes] == codes, outcomes[-1].stderr
    assert [failure.problem for failure in traffic.failures] == []
    assert all(sent > 0 for sent, _ in traffic.counts().values())
    served = {answer.body for answer in traffic.answers}
    assert served == ({"v1", "v2"} if variant == "v2" else {"v1"})
