"""A service with two target groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.emulator.embedded_aws.environment import Environment


def two_groups(environment: Environment, with_traffic: int) -> tuple[list[str], list[Any]]:
    """Two groups of which one has the production traffic, and the service's load balancers."""
    listener = environment.forward_to(environment.new_target_group("-0", attached=False))
    groups = [environment.new_target_group(f"-{name}", attached=False) for name in "ab"]
    weights = [{"TargetGroupArn": arn, "Weight": 100 * (at == with_traffic)} for at, arn in enumerate(groups)]
    rule = environment.elb.create_rule(
        ListenerArn=listener,
        Priority=1,
        Conditions=[{"Field": "path-pattern", "Values": ["/*"]}],
        Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}],
    )["Rules"][0]["RuleArn"]
    advanced = {
        "alternateTargetGroupArn": groups[1],
        "productionListenerRule": rule,
        "roleArn": "arn:aws:iam::000000000000:role/ecs",
    }
    balancer = {"targetGroupArn": groups[0], "containerName": "app", "containerPort": 8000}
    return groups, [{**balancer, "advancedConfiguration": advanced}]
