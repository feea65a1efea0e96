"""Application Auto Scaling over the wire: what is read and what is sent."""

from __future__ import annotations

from typing import Any

import pytest

from ecs_pipeline.aws.application_autoscaling import ApplicationAutoScaling
from ecs_pipeline.aws.session import AwsError
from ecs_pipeline.model.scaling import ALL, Suspended
from tests.unit.aws_stub import AwsStub, ok, refused, session
from tests.unit.clocks import RecordingClock
from tests.unit.facts import service
from tests.unit.scaling_hold import BY_HAND


def adapter() -> ApplicationAutoScaling:
    made = session(RecordingClock())
    return ApplicationAutoScaling(lambda: made.client("application-autoscaling"))


TARGET = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}


def test_the_state_is_read_of_this_service_alone(aws: AwsStub) -> None:
    found = service()
    state = {"DynamicScalingInSuspended": True, "ScheduledScalingSuspended": True}
    aws.on("DescribeScalableTargets", ok({"ScalableTargets": [{**TARGET, "SuspendedState": state}]}))
    assert adapter().suspended(found) == Suspended(scale_in=True, scheduled=True)
    (request,) = aws.asked("DescribeScalableTargets")
    assert request.json == {**TARGET, "ResourceIds": [f"service/{found.cluster}/{found.name}"]}


@pytest.mark.parametrize(("targets", "state"), [([], None), ([TARGET], Suspended())])
def test_no_target_and_one_of_which_nothing_is_told(aws: AwsStub, targets: list[Any], state: Suspended | None) -> None:
    aws.on("DescribeScalableTargets", ok({"ScalableTargets": targets}))
    assert adapter().suspended(service()) == state


def test_only_the_state_is_sent_and_neither_limits_nor_role(aws: AwsStub) -> None:
    found = service()
    aws.on("RegisterScalableTarget", ok({"ScalableTargetARN": "arn"}))
    adapter().suspend(found, Suspended(scale_out=True))
    (request,) = aws.asked("RegisterScalableTarget")
    assert request.json == {
        **TARGET,
        "ResourceId": f"service/{found.cluster}/{found.name}",
        "SuspendedState": {
            "DynamicScalingInSuspended": False,
            "DynamicScalingOutSuspended": True,
            "ScheduledScalingSuspended": False,
        },
    }


def test_what_aws_refuses_names_the_permission(aws: AwsStub) -> None:
    aws.on("RegisterScalableTarget", refused("AccessDeniedException"))
    with pytest.raises(AwsError, match="application-autoscaling:RegisterScalableTarget"):
        adapter().suspend(service(), ALL)


def test_the_command_for_a_person_says_the_same(aws: AwsStub) -> None:
    assert (
        adapter()
        .command(service(), BY_HAND)
        .endswith(
            "--suspended-state DynamicScalingInSuspended=false,DynamicScalingOutSuspended=false,"
            "ScheduledScalingSuspended=true"
        )
    )
