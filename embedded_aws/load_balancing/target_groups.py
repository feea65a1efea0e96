"""Which targets are registered in which group, kept beside ministack's records of groups, listeners and rules."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from ministack.services import alb

from embedded_aws import addresses
from embedded_aws.load_balancing.targets import NOT_CHECKED, NOT_IN_USE, Health, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Group = dict[str, Any]
    TargetKey = tuple[str, int]

ATTRIBUTE_DEFAULTS = {
    "deregistration_delay.timeout_seconds": "300",
    "stickiness.enabled": "false",
    "stickiness.type": "lb_cookie",
    "stickiness.lb_cookie.duration_seconds": "86400",
    "slow_start.duration_seconds": "0",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
}
FIRST_CHECK_SECONDS = 0.3
lock = threading.RLock()
changed = threading.Event()  # targets came or went: the prober looks again
_targets: dict[str, dict[TargetKey, Target]] = {}
_listeners: list[Callable[[], None]] = []


def on_change(listener: Callable[[], None]) -> None:
    """Have `listener` called whenever the health of any target changes."""
    _listeners.append(listener)


def tell_change() -> None:
    """Call those who asked for changes of health."""
    for listener in _listeners:
        listener()


def attributes(arn: str) -> dict[str, str]:
    """Give all attributes of a group, with AWS' defaults for those not set."""
    return {**ATTRIBUTE_DEFAULTS, **{each["Key"]: each["Value"] for each in alb._tg_attrs.get(arn) or []}}


def deregistration_delay(arn: str) -> float:
    """Seconds for which a deregistered target of this group drains."""
    return float(attributes(arn)["deregistration_delay.timeout_seconds"])


def load_balancers(arn: str) -> list[str]:
    """Give the load balancers whose listeners or rules forward to this group."""
    found: dict[str, None] = {}
    for rule in alb._rules.values():
        listener = alb._listeners.get(rule["ListenerArn"])
        if listener and listener["LoadBalancerArn"] in alb._lbs and arn in _forwarded(rule["Actions"]):
            found[listener["LoadBalancerArn"]] = None
    return list(found)


def registered(arn: str) -> list[Target]:
    """Give the group's targets, draining ones too, in the order of their registration."""
    with lock:
        now = time.monotonic()
        targets = _targets.get(arn, {})
        for key, target in list(targets.items()):
            if target.drained_at is not None and target.drained_at <= now:
                del targets[key]
        return list(targets.values())


def find(arn: str, key: TargetKey) -> Target | None:
    """Find one registered or draining target by address or instance and port."""
    return next((target for target in registered(arn) if (target.id, target.port) == key), None)


def register(arn: str, keys: Iterable[TargetKey]) -> None:
    """Register targets; one that drains begins anew, one that is registered stays as it is."""
    with lock:
        targets = _targets.setdefault(arn, {})
        for key in keys:
            current = find(arn, key)
            if current is None or current.draining:
                targets[key] = Target(*key, next_check=time.monotonic() + FIRST_CHECK_SECONDS)
    changed.set()


def deregister(arn: str, keys: Iterable[TargetKey]) -> None:
    """Begin to drain targets; a missing one is no error. Where no traffic can come, nothing drains."""
    with lock:
        until = time.monotonic() + (deregistration_delay(arn) if load_balancers(arn) else 0)
        for key in keys:
            target = find(arn, key)
            if target is not None:
                target.drain(until)
    tell_change()


def forget(arn: str) -> None:
    """Drop a deleted group's targets."""
    with lock:
        _targets.pop(arn, None)


def groups_with_targets() -> list[tuple[str, Group]]:
    """Give the groups that exist and have targets."""
    with lock:
        return [(arn, alb._tgs[arn]) for arn, targets in _targets.items() if targets and arn in alb._tgs]


def health(arn: str, target: Target) -> Health:
    """Give a target's health as DescribeTargetHealth reports it."""
    if target.draining:
        return target.health
    if not load_balancers(arn):
        return NOT_IN_USE
    if not alb._tgs[arn].get("HealthCheckEnabled", True):
        return NOT_CHECKED
    return target.health


def routable(arn: str) -> list[Target]:
    """Give the targets that get traffic: the healthy ones; with none of them, all unhealthy ones (fail open)."""
    targets = [target for target in registered(arn) if not target.draining]
    states = {target: health(arn, target).state for target in targets}
    healthy = [target for target in targets if states[target] in {"healthy", "unavailable"}]
    return healthy or [target for target in targets if states[target] == "unhealthy"]


def address(target: Target) -> str:
    """Give the address at which a target listens; all container instances are this machine."""
    return "127.0.0.1" if target.id.startswith("i-") else addresses.reachable(target.id)


def _forwarded(actions: Iterable[dict[str, Any]]) -> set[str]:
    arns = set()
    for action in actions:
        arns.add(action.get("TargetGroupArn", ""))
        arns.update(each["TargetGroupArn"] for each in action.get("ForwardConfig", {}).get("TargetGroups", []))
    return arns
