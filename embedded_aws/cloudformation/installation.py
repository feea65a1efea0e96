"""Put our resource types into ministack's CloudFormation."""

from __future__ import annotations

from embedded_aws.cloudformation import (
    autoscaling_resources,
    change_sets,
    ecs_resources,
    load_balancing_resources,
    registry_resources,
)


def install() -> None:
    """Add and replace resource types."""
    for part in (change_sets, ecs_resources, autoscaling_resources, load_balancing_resources, registry_resources):
        part.install()
