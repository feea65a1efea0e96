"""Services that cannot have a canary task, whatever is done: refused before anything is written."""

from __future__ import annotations

from ecs_pipeline import definition
from ecs_pipeline.errors import Refused
from ecs_pipeline.load_balancing import group_name
from ecs_pipeline.model import Service
from ecs_pipeline.run import Run


def refuse_unsupported(run: Run, service: Service) -> None:
    """Raises Refused with the reason and what to do."""
    definition.refuse_when_unsupported(service)
    for entry in service.load_balancing:
        group = run.elb.target_group(entry.target_group)
        if group is not None and group.address_type == "ipv6":
            raise Refused(
                f"target group {group_name(group.arn)} of {service.label} takes IPv6 addresses only, "
                "and a canary is registered by its IPv4 address",
                cure="use a target group of type ipv4, or see docs/limits.md",
            )
