"""What CreateService and UpdateService refuse; the messages are ECS' own where they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.services import alb

from embedded_aws.api import ApiError
from embedded_aws.ecs import launching, task_definitions
from embedded_aws.load_balancing import target_groups

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record


def check(service: Members, definition: Record) -> None:
    """Raise InvalidParameterException when a service cannot run this revision as it is configured."""
    launching.check_network(service, definition)
    for load_balancer in service.get("loadBalancers") or []:
        _check_load_balancer(load_balancer, definition)


def _check_load_balancer(load_balancer: Members, definition: Record) -> None:
    arn = load_balancer.get("targetGroupArn", "")
    group = alb._tgs.get(arn)
    if group is None:
        raise _invalid(f"The specified target group does not exist: {arn}")
    if not target_groups.load_balancers(arn):
        raise _invalid(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")
    if definition["networkMode"] == "awsvpc" and group["TargetType"] != "ip":
        raise _invalid(
            f"The provided target group {arn} has target type {group['TargetType']}, which is incompatible "
            "with the awsvpc network mode specified in the task definition."
        )
    name, port = load_balancer.get("containerName", ""), load_balancer.get("containerPort")
    container = task_definitions.container(definition, name)
    if container is None:
        raise _invalid(f"The container {name} does not exist in the task definition.")
    if port not in {each["containerPort"] for each in container["portMappings"]}:
        raise _invalid(f"The container {name} did not have a container port {port} defined.")


def _invalid(message: str) -> ApiError:
    return ApiError("InvalidParameterException", message)
