"""Which services can be deployed here, and why another cannot: one table for all stages. Pure.

Amazon ECS API reference, data types Service, DeploymentConfiguration, ServiceRevision; Elastic Load Balancing API
reference, data types TargetGroup and TargetDescription.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ecs_pipeline.errors import Refused
from ecs_pipeline.model.load_balancing import TargetGroup, group_name
from ecs_pipeline.model.release import Service

ROLLING = "ROLLING"
FARGATE, SPOT = "FARGATE", "FARGATE_SPOT"
QUIC = ("QUIC", "TCP_QUIC")
BY_HAND = "deploy it with `aws ecs update-service`; see docs/limits.md"


class Use(Enum):
    """What is to be done with a service; the value is how a refusal says it."""

    CANARY = "cannot have a canary task"
    UPDATE = "cannot be sent to another revision"


@dataclass(frozen=True)
class Obstacle:
    """Why a service cannot be deployed here, and what its owner can do."""

    why: str
    cure: str


def refuse(
    service: Service, use: Use, groups: Sequence[TargetGroup] = (), revision: Mapping[str, Any] | None = None
) -> None:
    """Raises Refused for a service that cannot be used so.

    `groups` are its target groups, `revision` is its current service revision as far as that is needed.
    """
    for obstacle in obstacles(service, use, groups, revision):
        raise Refused(f"service {service.label} {use.value}: {obstacle.why}", cure=obstacle.cure)


def obstacles(
    service: Service, use: Use, groups: Sequence[TargetGroup] = (), revision: Mapping[str, Any] | None = None
) -> Iterator[Obstacle]:
    """All that keeps a service from being used so; see `refuse`."""
    yield from _to_any_deployment(service)
    if use is Use.CANARY:
        yield from _to_a_canary(service)
        yield from _of_percentages(service)
        yield from _of_groups(groups)
        yield from _of_revision(revision or {})


def _to_any_deployment(service: Service) -> Iterator[Obstacle]:
    """What TagResource or UpdateService do not do as the stages need it."""
    raw = service.raw
    configuration: Mapping[str, Any] = raw.get("deploymentConfiguration") or {}
    controller = (raw.get("deploymentController") or {}).get("type", "ECS")
    strategy = configuration.get("strategy", ROLLING)
    if service.status != "ACTIVE":
        yield Obstacle(f"it is {service.status}", "it is being deleted: create it anew")
    if controller != "ECS":
        owner = "CodeDeploy" if controller == "CODE_DEPLOY" else "what makes its task sets"
        yield Obstacle(f"its deployment controller is {controller}", f"deploy it with {owner}; see docs/limits.md")
    if raw.get("resourceManagementType") == "ECS":
        express = "`aws ecs update-express-gateway-service` deploys it"
        yield Obstacle("it is an Express Mode service, whose deployments are AWS' own", express)
    if strategy != ROLLING:
        yield Obstacle(
            f"its deployment strategy is {strategy}: ECS itself shifts the traffic",
            "deploy it with ECS' own deployment (`aws ecs update-service`), or set its strategy to ROLLING",
        )
    for hook in configuration.get("lifecycleHooks") or []:
        if hook.get("targetType") == "PAUSE":
            stages = ", ".join(hook.get("lifecycleStages") or []) or "a stage"
            yield Obstacle(
                f"its deployments pause at {stages} until somebody calls ContinueServiceDeployment",
                "take the PAUSE hook out of its deploymentConfiguration: `promote` is the approval",
            )
    if service.arn.rpartition(":")[2].count("/") == 1:
        long = f"{service.arn.rpartition('/')[0]}/{service.label}"
        setting = "`aws ecs put-account-setting --name serviceLongArnFormat --value enabled`"
        yield Obstacle(
            "it has the short ARN of before 2021, and ECS takes no tags for it",
            f"give it the long one, for good: {setting}, "
            f"then `aws ecs tag-resource --resource-arn {long} --tags key=arn,value=long`",
        )


def _to_a_canary(service: Service) -> Iterator[Obstacle]:
    """What a service's own tasks have, and a task of RunTask has not."""
    raw = service.raw
    primary: Mapping[str, Any] = next(
        (deployment for deployment in raw.get("deployments", []) if deployment.get("status") == "PRIMARY"), {}
    )
    if raw.get("schedulingStrategy") == "DAEMON":
        yield Obstacle("it is a DAEMON: each instance has its task, and room for no other", BY_HAND)
    if (primary.get("serviceConnectConfiguration") or {}).get("enabled", False):
        yield Obstacle("it uses Service Connect, which tasks of RunTask do not get", BY_HAND)
    if primary.get("vpcLatticeConfigurations"):
        yield Obstacle("it uses VPC Lattice, which tasks of RunTask do not join", BY_HAND)
    for entry in raw.get("loadBalancers", []):
        if entry.get("loadBalancerName") and not entry.get("targetGroupArn"):
            yield Obstacle("it has a Classic Load Balancer, which knows instances only", BY_HAND)
        advanced = entry.get("advancedConfiguration") or {}
        pair = {entry.get("targetGroupArn"), advanced.get("alternateTargetGroupArn")}
        if advanced and not pair & set(raw.get("resolvedTargetGroups") or ()):
            yield Obstacle(
                "ECS does not say which of its two target groups has the traffic",
                "update it once (`aws ecs update-service --force-new-deployment`): its service revision is too old",
            )


def _of_percentages(service: Service) -> Iterator[Obstacle]:
    """With some percentages ECS can neither stop a task nor start one more: promote could never end.

    ECS rounds the least number of tasks up and the largest down (DeploymentConfiguration, API reference).
    """
    given = service.raw.get("deploymentConfiguration") or {}
    least, most = (
        value if isinstance(value := given.get(key), int) else default
        for key, default in (("minimumHealthyPercent", 100), ("maximumPercent", 200))
    )
    stops = math.ceil(service.desired * least / 100) < service.desired
    starts = service.desired * most // 100 > service.desired
    if service.desired > 0 and not stops and not starts:
        yield Obstacle(
            f"with minimumHealthyPercent {least} and maximumPercent {most} none of its {service.desired} tasks may be "
            "stopped, and none more be started, so a promote could never end",
            "raise maximumPercent (200 is the default) or lower minimumHealthyPercent",
        )


def _of_groups(groups: Sequence[TargetGroup]) -> Iterator[Obstacle]:
    for group in groups:
        name = group_name(group.arn)
        if group.protocol in QUIC:
            why = f"its target group {name} is of {group.protocol}, whose targets need a server id that ECS gives"
            yield Obstacle(why, BY_HAND)
        if group.control_port:
            why = f"its target group {name} has the target optimizer, which sends to tasks that ask for it"
            yield Obstacle(why, BY_HAND)


def _of_revision(revision: Mapping[str, Any]) -> Iterator[Obstacle]:
    """DescribeServices does not show everything."""
    if revision.get("gatewayConnectors"):
        yield Obstacle("an ECS gateway sends it requests, and knows a service's own tasks only", BY_HAND)


def on_fargate(service: Service) -> bool:
    """True when tasks of the service may run on Fargate, by its launch type or its capacity providers."""
    return bool(providers(service) & {FARGATE, SPOT})


def providers(service: Service) -> set[str]:
    """The launch type of a service, or its capacity providers."""
    launch_type = str(service.raw.get("launchType") or "")
    strategy = service.raw.get("capacityProviderStrategy") or ()
    return {launch_type} if launch_type else {str(entry.get("capacityProvider", "")) for entry in strategy}
