"""Where a target group does not give every healthy target the same share, in words. Pure.

Application Load Balancers guide, "Edit target group attributes" (routing algorithm, stickiness, cross-zone); guide of
Network Load Balancers, "Target groups for your Network Load Balancers".
"""

from __future__ import annotations

from collections.abc import Iterator

from ecs_pipeline.model.load_balancing import TargetGroup, group_name

BY_FLOW = ("TCP", "TLS", "UDP", "TCP_UDP")
FEWEST = "least_outstanding_requests"


def notes(group: TargetGroup) -> Iterator[str]:
    """What makes the canary's part of the traffic another one than its part of the targets."""
    name = group_name(group.arn)
    by_flow = group.protocol in BY_FLOW
    if by_flow:
        yield f"{name} shares connections, not requests: long ones stay where they are"
    if group.cross_zone == "false" or (by_flow and group.cross_zone != "true"):
        off = (
            "has cross-zone off"
            if group.cross_zone == "false"
            else "has cross-zone as its load balancer, by default off"
        )
        yield f"{name} {off}: a canary that is alone in its zone takes that zone's part"
    if group.sticky:
        yield f"{name} is sticky: sessions stay with their task, the canary gets new ones only"
    if group.algorithm == FEWEST:
        yield f"{name} sends to the target with the fewest requests under way: a faster one gets more"
