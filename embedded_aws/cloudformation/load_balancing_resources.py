"""Target groups and listeners of templates: TCP health checks, weights, and the end of a group's targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ministack.services.cloudformation import provisioners

from embedded_aws.load_balancing import target_groups

if TYPE_CHECKING:
    from collections.abc import Callable

    from embedded_aws.api import Members

_GROUP_TYPE = "AWS::ElasticLoadBalancingV2::TargetGroup"


def install() -> None:
    """Replace ministack's resource types."""
    handlers = provisioners._RESOURCE_HANDLERS[_GROUP_TYPE]
    handlers["create"] = _with_tcp_checks(handlers["create"])
    handlers["delete"] = _forgetting(handlers["delete"])
    provisioners._elbv2_listener_actions = _with_weights(provisioners._elbv2_listener_actions)


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
