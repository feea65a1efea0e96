"""Where a load balancer sends a request: round robin over the healthy targets, groups by weight.

Application Load Balancers User Guide, "Routing algorithms", "Target group health" (fail open) and "Forward actions".
"""

from __future__ import annotations

import itertools
import json
import threading
from typing import TYPE_CHECKING, Any

from ministack.services import alb

from embedded_aws.load_balancing import target_groups

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from embedded_aws.api import Members, Response

    Forward = Callable[..., Awaitable[Response]]

_lock = threading.Lock()
_turns: dict[str, itertools.count[int]] = {}
_shares: dict[str, dict[str, int]] = {}


def install() -> None:
    """Replace ministack's choice of a target."""
    alb._forward_to_tg = _forward_to_group
    alb._execute_action = _with_weights(alb._execute_action)


def choose_group(groups: list[Members]) -> str:
    """Choose one of weighted groups so that every run of requests is split as exactly as it can be.

    Smooth weighted round robin: each gains its weight, the richest is chosen and pays the sum.
    """
    weights = {str(each["TargetGroupArn"]): int(each.get("Weight", 1)) for each in groups}
    key = json.dumps(sorted(weights.items()))
    with _lock:
        shares = _shares.setdefault(key, dict.fromkeys(weights, 0))
        for arn, weight in weights.items():
            shares[arn] += weight
        chosen = max((arn for arn in weights if weights[arn] > 0), key=lambda arn: shares[arn])
        shares[chosen] -= sum(weights.values())
    return chosen


async def _forward_to_group(arn: str, method: str, path: str, *request: Any) -> Response:
    group = alb._tgs.get(arn)
    if group is None:
        return _failure(502, "Bad Gateway")
    targets = target_groups.routable(arn)
    if not targets:
        return _failure(503, "Service Temporarily Unavailable")
    with _lock:
        turn = next(_turns.setdefault(arn, itertools.count()))
    target = targets[turn % len(targets)]
    headers, body, query, raw_query, raw_path = request
    record = {"Id": target_groups.address(target), "Port": target.port}
    answer: Response = await alb._proxy_http_target(
        record, group, method, raw_path or path, headers, body, query, raw_query
    )
    return answer


def _with_weights(execute: Forward) -> Forward:
    async def execute_action(action: Members, *request: Any) -> Response:
        groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
        if action["Type"] == "forward" and groups:
            action = {"Type": "forward", "TargetGroupArn": choose_group(groups)}
        return await execute(action, *request)

    return execute_action


def _failure(status: int, title: str) -> Response:
    body = f"<html><head><title>{status} {title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return status, {"Content-Type": "text/html"}, body.encode()
