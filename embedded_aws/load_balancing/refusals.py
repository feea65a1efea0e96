"""What Elastic Load Balancing refuses of names, health checks, certificates and listeners.

API reference, CreateLoadBalancer, CreateTargetGroup, ModifyTargetGroup, CreateListener and DeleteLoadBalancer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ministack.services import alb

from embedded_aws.load_balancing import target_groups

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from embedded_aws.api import Members, Response

_NAME = re.compile(r"(?!-)[A-Za-z0-9-]{1,32}(?<!-)")
_TCP_PROTOCOLS = {"TCP", "TLS", "UDP", "TCP_UDP"}
_LIMITS = {
    "HealthCheckIntervalSeconds": (5, 300),
    "HealthCheckTimeoutSeconds": (2, 120),
    "HealthyThresholdCount": (2, 10),
    "UnhealthyThresholdCount": (2, 10),
}


def install() -> None:
    """Put the refusals before the operations of the API."""
    actions: dict[str, Callable[[Members], Response]] = alb._ACTION_MAP
    for name, refuse in _REFUSALS.items():
        actions[name] = _refusing(refuse, actions[name])


def name_problem(kind: str, name: str) -> str:
    """Say why a name cannot be a load balancer's or a target group's; nothing when it can."""
    if not _NAME.fullmatch(name):
        return f"The {kind} name '{name}' must be at most 32 letters, digits and hyphens, no hyphen first or last"
    if kind == "load balancer" and name.startswith("internal-"):
        return f"The load balancer name '{name}' cannot begin with 'internal-'"
    return ""


def health_check_problem(group: Members) -> str:
    """Say what is wrong with the health check of a target group; nothing when it can be."""
    default_timeout = 10 if group.get("Protocol") in _TCP_PROTOCOLS else 5
    defaults = {"HealthCheckIntervalSeconds": 30, "HealthCheckTimeoutSeconds": default_timeout}
    values = {name: int(group.get(name) or defaults.get(name, 2)) for name in _LIMITS}
    for name, (low, high) in _LIMITS.items():
        if not low <= values[name] <= high:
            return f"{name} must be between {low} and {high}, but is {values[name]}"
    if values["HealthCheckIntervalSeconds"] <= values["HealthCheckTimeoutSeconds"]:
        return "Health check interval must be greater than the timeout."
    return ""


def association_problem(load_balancer: str, groups: Iterable[str]) -> str:
    """Say which target groups another load balancer has; a target group has one (TargetGroupAssociationLimit)."""
    taken = [arn for arn in groups if set(target_groups.load_balancers(arn)) - {load_balancer}]
    text = "The following target groups cannot be associated with more than one load balancer"
    return f"{text}: {', '.join(taken)}" if taken else ""


def deletion_problem(load_balancer: str) -> str:
    """Say that a load balancer is protected from deletion; nothing when it is not."""
    attributes = {each["Key"]: each["Value"] for each in alb._lb_attrs.get(load_balancer) or []}
    if attributes.get("deletion_protection.enabled") != "true":
        return ""
    return f"Load balancer '{load_balancer}' cannot be deleted because deletion protection is enabled"


def forwarded(actions: Iterable[Members]) -> set[str]:
    """Give the target groups that actions, as a template or the API writes them, forward to."""
    found = set()
    for action in actions:
        found.add(action.get("TargetGroupArn", ""))
        found.update(each.get("TargetGroupArn", "") for each in _groups(action))
    return found - {""}


def _groups(action: Members) -> list[Members]:
    return (action.get("ForwardConfig") or {}).get("TargetGroups") or []


def _load_balancer_name(parameters: Members) -> tuple[str, str]:
    return "ValidationError", name_problem("load balancer", alb._p(parameters, "Name"))


def _new_group(parameters: Members) -> tuple[str, str]:
    given = {name: alb._p(parameters, name) for name in ("Protocol", *_LIMITS)}
    return "ValidationError", name_problem("target group", alb._p(parameters, "Name")) or health_check_problem(given)


def _changed_group(parameters: Members) -> tuple[str, str]:
    group = alb._tgs.get(alb._p(parameters, "TargetGroupArn")) or {}
    changes = {name: alb._p(parameters, name) for name in _LIMITS if alb._p(parameters, name)}
    return "ValidationError", health_check_problem({**group, **changes})


def _new_listener(parameters: Members) -> tuple[str, str]:
    groups = forwarded(alb._parse_actions(parameters, "DefaultActions"))
    problem = association_problem(alb._p(parameters, "LoadBalancerArn"), groups)
    if problem:
        return "TargetGroupAssociationLimit", problem
    without = alb._p(parameters, "Protocol") in {"HTTPS", "TLS"} and not alb._parse_certificate_arns(parameters)
    return "ValidationError", "A certificate must be specified for HTTPS listeners" if without else ""


def _changed_listener(parameters: Members) -> tuple[str, str]:
    listener = alb._listeners.get(alb._p(parameters, "ListenerArn")) or {}
    groups = forwarded(alb._parse_actions(parameters, "DefaultActions"))
    return "TargetGroupAssociationLimit", association_problem(listener.get("LoadBalancerArn", ""), groups)


def _deleted_load_balancer(parameters: Members) -> tuple[str, str]:
    return "OperationNotPermitted", deletion_problem(alb._p(parameters, "LoadBalancerArn"))


_REFUSALS: dict[str, Callable[[Members], tuple[str, str]]] = {
    "CreateLoadBalancer": _load_balancer_name,
    "CreateTargetGroup": _new_group,
    "ModifyTargetGroup": _changed_group,
    "CreateListener": _new_listener,
    "ModifyListener": _changed_listener,
    "DeleteLoadBalancer": _deleted_load_balancer,
}
"""The code and text of the error of each operation; no text where there is none."""


def _refusing(
    refuse: Callable[[Members], tuple[str, str]], act: Callable[[Members], Response]
) -> Callable[[Members], Response]:
    def operation(parameters: Members) -> Response:
        code, text = refuse(parameters)
        return alb._error(code, text) if text else act(parameters)

    return operation
