"""Which target group a service's tasks join where blue/green deployments may be used: the one that has the traffic.

Data types AdvancedConfiguration and ResolvedConfiguration; guide, "Amazon ECS blue/green deployments": the target group
and the alternate one take turns, and the rule of production traffic says whose it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.services import alb

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record


def resolved(service: Record) -> list[Members]:
    """Give the load balancers of a service with the target groups that have the traffic."""
    return [{**each, "targetGroupArn": _group(each)} for each in service["loadBalancers"] if each.get("targetGroupArn")]


def shown(service: Record) -> list[Members]:
    """Give them as a service revision shows them (data type ServiceRevisionLoadBalancer)."""
    found = []
    for each in resolved(service):
        rule = (each.get("advancedConfiguration") or {}).get("productionListenerRule")
        found.append({"targetGroupArn": each["targetGroupArn"], **({"productionListenerRule": rule} if rule else {})})
    return found


def _group(load_balancer: Members) -> str:
    own: str = load_balancer["targetGroupArn"]
    advanced = load_balancer.get("advancedConfiguration") or {}
    rule = alb._rules.get(advanced.get("productionListenerRule", ""))
    weights = {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in _forwarded(rule or {"Actions": []})}
    chosen = [arn for arn in (own, advanced.get("alternateTargetGroupArn", "")) if weights.get(arn)]
    return chosen[0] if chosen else own


def _forwarded(rule: Members) -> list[Members]:
    groups: list[Members] = []
    for action in rule["Actions"]:
        groups += action.get("ForwardConfig", {}).get("TargetGroups", [])
        groups += [{"TargetGroupArn": action["TargetGroupArn"]}] if action.get("TargetGroupArn") else []
    return groups
