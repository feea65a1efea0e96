"""Application Auto Scaling keeps scalable targets and policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.embedded_aws.environment import wait_for

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment
from tests.emulator.embedded_aws.scaling import Scaling

POLICY = {
    "PolicyName": "cpu",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 60.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
    },
}


@pytest.fixture
def scaling(environment: Environment) -> Scaling:
    environment.create_service(environment.register("v1"), loadBalancers=[])
    return Scaling(environment)


def test_a_target_is_registered_changed_and_suspended(scaling: Scaling) -> None:
    """RegisterScalableTarget: what is not given stays as it was; data type SuspendedState."""
    scaling.register(MinCapacity=1, MaxCapacity=4)
    scaling.register(MaxCapacity=6, SuspendedState={"DynamicScalingInSuspended": True})
    target = scaling.targets()[0]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 6)
    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }


def test_the_state_alone_suspends_and_resumes_and_leaves_limits_and_role(scaling: Scaling) -> None:
    """RegisterScalableTarget: "Any parameters that you don't specify are not changed by this update request"."""
    scaling.register(MinCapacity=1, MaxCapacity=4)
    before = scaling.targets()[0]
    state = dict.fromkeys(before["SuspendedState"], True)
    scaling.register(SuspendedState=state)
    assert scaling.targets()[0] == {**before, "SuspendedState": state}
    scaling.register(SuspendedState=before["SuspendedState"])
    assert scaling.targets()[0] == before


def test_a_service_is_brought_between_its_bounds(scaling: Scaling, environment: Environment) -> None:
    """RegisterScalableTarget: a capacity outside of the new limits is changed."""
    scaling.register(MinCapacity=2, MaxCapacity=4)
    wait_for(lambda: environment.service()["desiredCount"] == 2)


def test_policies_go_with_their_target(scaling: Scaling) -> None:
    """PutScalingPolicy, DescribeScalingPolicies, DeleteScalingPolicy and DeregisterScalableTarget."""
    scaling.register(MinCapacity=1, MaxCapacity=4)
    arn = scaling.api.put_scaling_policy(**scaling.identity, **POLICY)["PolicyARN"]
    assert [(each["PolicyARN"], each["PolicyType"]) for each in scaling.policies()] == [(arn, "TargetTrackingScaling")]
    scaling.api.delete_scaling_policy(**scaling.identity, PolicyName="cpu")
    assert scaling.policies() == []
    scaling.api.put_scaling_policy(**scaling.identity, **POLICY)
    scaling.api.deregister_scalable_target(**scaling.identity)
    assert (scaling.targets(), scaling.policies()) == ([], [])


@pytest.mark.parametrize(
    ("operation", "members", "code"),
    [
        ("put_scaling_policy", POLICY, "ObjectNotFoundException"),
        ("deregister_scalable_target", {}, "ObjectNotFoundException"),
        ("delete_scaling_policy", {"PolicyName": "none"}, "ObjectNotFoundException"),
        ("register_scalable_target", {"MaxCapacity": 3}, "ValidationException"),
    ],
)
def test_what_is_not_there_is_an_error(scaling: Scaling, operation: str, members: Any, code: str) -> None:
    """Errors of the four operations."""
    with pytest.raises(ClientError, match=code):
        getattr(scaling.api, operation)(**scaling.identity, **members)


def test_only_services_that_exist_are_scaled(environment: Environment) -> None:
    """RegisterScalableTarget, error ValidationException."""
    with pytest.raises(ClientError, match="ValidationException"):
        Scaling(environment).register(MinCapacity=1, MaxCapacity=2)


def tracking(metric: str, **members: str) -> dict[str, Any]:
    specification = {"PredefinedMetricType": metric, **members}
    configuration = {"TargetValue": 60.0, "PredefinedMetricSpecification": specification}
    return {**POLICY, "PolicyName": metric, "TargetTrackingScalingPolicyConfiguration": configuration}


def test_requests_per_target_name_the_load_balancer_and_its_target_group(
    scaling: Scaling, environment: Environment
) -> None:
    """PredefinedMetricSpecification, ResourceLabel: `app/NAME/ID/targetgroup/NAME/ID`, of a group that it has."""
    scaling.register(MinCapacity=1, MaxCapacity=4)
    balancer = environment.load_balancer.partition(":loadbalancer/")[2]
    group = environment.target_group.rpartition(":")[2]
    alone = environment.new_target_group("-2", attached=False).rpartition(":")[2]
    for label in ({}, {"ResourceLabel": group}, {"ResourceLabel": f"{balancer}/{alone}"}):
        with pytest.raises(ClientError, match="ResourceLabel"):
            scaling.api.put_scaling_policy(**scaling.identity, **tracking("ALBRequestCountPerTarget", **label))
    good = tracking("ALBRequestCountPerTarget", ResourceLabel=f"{balancer}/{group}")
    assert scaling.api.put_scaling_policy(**scaling.identity, **good)["PolicyARN"]


def test_a_metric_is_tracked_once(scaling: Scaling) -> None:
    """User guide, "Target tracking scaling policies": several of one target, "each of them uses a different metric"."""
    scaling.register(MinCapacity=1, MaxCapacity=4)
    scaling.api.put_scaling_policy(**scaling.identity, **POLICY)
    scaling.api.put_scaling_policy(**scaling.identity, **tracking("ECSServiceAverageMemoryUtilization"))
    with pytest.raises(ClientError, match="Only one TargetTrackingScaling policy"):
        scaling.api.put_scaling_policy(**scaling.identity, **tracking("ECSServiceAverageCPUUtilization"))
    with pytest.raises(ClientError, match="not supported for ecs"):
        scaling.api.put_scaling_policy(**scaling.identity, **tracking("EC2SpotFleetRequestAverageCPUUtilization"))


def test_the_least_count_is_no_more_than_the_most(scaling: Scaling) -> None:
    """RegisterScalableTarget, MinCapacity and MaxCapacity."""
    with pytest.raises(ClientError, match="Maximum capacity cannot be less"):
        scaling.register(MinCapacity=4, MaxCapacity=3)
    assert scaling.targets() == []
