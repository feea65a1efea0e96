"""Load balancers, target groups and listeners of templates: what ELB refuses, TCP health checks, weights, last targets.

ministack writes its records past the API's operations, so what these refuse is asked here too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services import alb
from ministack.services.cloudformation import provisioners

from embedded_aws.load_balancing import refusals, target_groups

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.api import Members

_GROUP_TYPE = "AWS::ElasticLoadBalancingV2::TargetGroup"
_BALANCER_TYPE = "AWS::ElasticLoadBalancingV2::LoadBalancer"
_LISTENER_TYPE = "AWS::ElasticLoadBalancingV2::Listener"


def install() -> None:
    """Replace ministack's resource types."""
    groups = provisioners._RESOURCE_HANDLERS[_GROUP_TYPE]
    groups["create"] = _named(_checked(_with_tcp_checks(groups["create"])), "target group", _group_names)
    groups["update"] = _checked_update(groups["update"])
    groups["delete"] = _forgetting(groups["delete"])
    balancers = provisioners._RESOURCE_HANDLERS[_BALANCER_TYPE]
    balancers["create"] = _named(balancers["create"], "load balancer", _balancer_names)
    balancers["delete"] = _unless_protected(balancers["delete"])
    listeners = provisioners._RESOURCE_HANDLERS[_LISTENER_TYPE]
    listeners["create"] = _with_a_certificate(listeners["create"])
    provisioners._elbv2_listener_actions = _associated(_with_weights(provisioners._elbv2_listener_actions))


def _group_names() -> set[str]:
    return {group["TargetGroupName"] for group in alb._tgs.values()}


def _balancer_names() -> set[str]:
    return {balancer["LoadBalancerName"] for balancer in alb._lbs.values()}


def _refuse(problem: str) -> None:
    """Fail the resource: CloudFormation shows what the service answered."""
    if problem:
        raise ValueError(problem)


def _named(create: Callable[..., Any], kind: str, taken: Callable[[], set[str]]) -> Callable[..., Any]:
    def create_named(logical_id: str, properties: Members, stack: str) -> Any:
        name = properties.get("Name")
        if name:
            _refuse(refusals.name_problem(kind, name))
            exists = f"A {kind} with the same name '{name}' exists, but with different settings"
            _refuse(exists if name in taken() else "")
        return create(logical_id, properties, stack)

    return create_named


def _checked(create: Callable[..., Any]) -> Callable[..., Any]:
    def create_group(logical_id: str, properties: Members, stack: str) -> Any:
        _refuse(refusals.health_check_problem(properties))
        return create(logical_id, properties, stack)

    return create_group


def _checked_update(update: Callable[..., Any]) -> Callable[..., Any]:
    def update_group(arn: str, old: Members, new: Members, *names: str) -> Any:
        _refuse(refusals.health_check_problem(new))
        return update(arn, old, new, *names)

    return update_group


def _unless_protected(delete: Callable[..., None]) -> Callable[..., None]:
    def delete_balancer(arn: str, properties: Members) -> None:
        _refuse(refusals.deletion_problem(arn))
        delete(arn, properties)

    return delete_balancer


def _with_a_certificate(create: Callable[..., Any]) -> Callable[..., Any]:
    def create_listener(logical_id: str, properties: Members, stack: str) -> Any:
        if properties.get("Protocol") in {"HTTPS", "TLS"} and not properties.get("Certificates"):
            _refuse("A certificate must be specified for HTTPS listeners")
        return create(logical_id, properties, stack)

    return create_listener


def _associated(actions_of: Callable[..., list[Members]]) -> Callable[..., list[Members]]:
    """A target group has one load balancer; a rule's listener is not named here, and its group is in use anyway."""

    def listener_actions(properties: Members, load_balancer: str, prop: str = "DefaultActions") -> list[Members]:
        if load_balancer:
            groups = refusals.forwarded(each for each in properties.get(prop) or [])
            _refuse(refusals.association_problem(load_balancer, groups))
        return actions_of(properties, load_balancer, prop)

    return listener_actions


def _with_tcp_checks(create: Callable[..., Any]) -> Callable[..., Any]:
    def create_group(logical_id: str, properties: Members, stack: str) -> Any:
        if properties.get("Protocol") in {"TCP", "TLS", "UDP", "TCP_UDP"}:
            properties = {"HealthCheckProtocol": "TCP", **properties}
        return create(logical_id, properties, stack)

    return create_group


def _forgetting(delete: Callable[..., None]) -> Callable[..., None]:
    def delete_group(arn: str, properties: Members) -> None:
        target_groups.forget(arn)
        delete(arn, properties)

    return delete_group


def _with_weights(actions_of: Callable[..., list[Members]]) -> Callable[..., list[Members]]:
    def listener_actions(properties: Members, load_balancer: str, prop: str = "DefaultActions") -> list[Members]:
        actions = actions_of(properties, load_balancer, prop)
        for action, given in zip(actions, properties.get(prop) or [], strict=True):
            groups = (given.get("ForwardConfig") or {}).get("TargetGroups") or []
            if len(groups) > 1:
                action["ForwardConfig"] = {"TargetGroups": [_weighted(each) for each in groups]}
        return actions

    return listener_actions


def _weighted(group: Members) -> Members:
    return {"TargetGroupArn": group["TargetGroupArn"], "Weight": int(group.get("Weight", 1))}
