"""What Elastic Load Balancing refuses: names, health checks, target groups of another, deletion under protection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment

SLOWER = "Health check interval must be greater than the timeout"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 5}, SLOWER),
        ({"HealthCheckIntervalSeconds": 10, "HealthCheckTimeoutSeconds": 20}, SLOWER),
        ({"HealthCheckTimeoutSeconds": 121, "HealthCheckIntervalSeconds": 300}, "between 2 and 120"),
        ({"HealthCheckIntervalSeconds": 301}, "between 5 and 300"),
        ({"UnhealthyThresholdCount": 11}, "between 2 and 10"),
    ],
)
def test_a_health_check_that_cannot_be_is_refused(
    environment: Environment, settings: dict[str, Any], told: str
) -> None:
    """CreateTargetGroup and ModifyTargetGroup: the limits of each value, and an interval above the timeout."""
    with pytest.raises(ClientError, match=told):
        environment.new_target_group("", **settings)
    with pytest.raises(ClientError, match=told):
        environment.elb.modify_target_group(TargetGroupArn=environment.target_group, **settings)


def test_the_timeout_that_is_not_given_counts_too(environment: Environment) -> None:
    """CreateTargetGroup: the default of HealthCheckTimeoutSeconds is 5 for HTTP."""
    group = {"Name": environment.name, "Protocol": "HTTP", "Port": 80, "VpcId": "vpc-1", "TargetType": "ip"}
    with pytest.raises(ClientError, match=SLOWER):
        environment.elb.create_target_group(**group, HealthCheckIntervalSeconds=5)


@pytest.mark.parametrize("name", ["-first", "last-", "under_score", 33 * "a"])
def test_a_name_that_cannot_be_is_refused(environment: Environment, name: str) -> None:
    """CreateLoadBalancer and CreateTargetGroup: at most 32 letters, digits, hyphens; none at an end."""
    with pytest.raises(ClientError, match="ValidationError"):
        environment.elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId="vpc-1")
    with pytest.raises(ClientError, match="ValidationError"):
        environment.elb.create_load_balancer(Name=name, Subnets=["subnet-1", "subnet-2"])


def test_a_load_balancers_name_does_not_begin_with_internal(environment: Environment) -> None:
    """CreateLoadBalancer: "must not begin with "internal-""."""
    with pytest.raises(ClientError, match="internal-"):
        environment.elb.create_load_balancer(Name="internal-shop", Subnets=["subnet-1", "subnet-2"])


def test_a_target_group_has_one_load_balancer(environment: Environment) -> None:
    """CreateListener, error TargetGroupAssociationLimit; Application Load Balancers guide, "Target groups"."""
    group = environment.target_group
    other = environment.elb.create_load_balancer(Name=f"{environment.name}-2", Subnets=["subnet-1", "subnet-2"])
    forward = {"Type": "forward", "TargetGroupArn": group}
    listener = {"LoadBalancerArn": other["LoadBalancers"][0]["LoadBalancerArn"], "Protocol": "HTTP", "Port": 80}
    with pytest.raises(ClientError, match="TargetGroupAssociationLimit"):
        environment.elb.create_listener(**listener, DefaultActions=[forward])


def test_a_protected_load_balancer_is_not_deleted(environment: Environment) -> None:
    """DeleteLoadBalancer: "You can't delete a load balancer if deletion protection is enabled"."""
    arn, key = environment.load_balancer, "deletion_protection.enabled"

    def protect(value: str) -> None:
        attributes = [{"Key": key, "Value": value}]
        environment.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=attributes)

    protect("true")
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        environment.elb.delete_load_balancer(LoadBalancerArn=arn)
    protect("false")
    environment.elb.delete_load_balancer(LoadBalancerArn=arn)


def test_https_needs_a_certificate(environment: Environment) -> None:
    """CreateListener, Certificates: "You must provide exactly one certificate if the listener protocol is HTTPS"."""
    action = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}
    with pytest.raises(ClientError, match="certificate must be specified"):
        environment.elb.create_listener(
            LoadBalancerArn=environment.load_balancer, Protocol="HTTPS", Port=443, DefaultActions=[action]
        )
