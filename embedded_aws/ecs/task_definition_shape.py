"""What AWS makes of the members of a registered task definition: the few that it fills in, and what it refuses."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from embedded_aws.api import ApiError
from embedded_aws.ecs import fargate

if TYPE_CHECKING:
    from embedded_aws.api import Members

_CONTAINER_DEFAULTS: Members = {
    "cpu": 0,
    "portMappings": [],
    "essential": True,
    "environment": [],
    "mountPoints": [],
    "volumesFrom": [],
    "systemControls": [],
}


def with_defaults(request: Members) -> Members:
    """Give the definition that is stored: all that was given, and AWS' defaults; raise ClientException.

    API reference, RegisterTaskDefinition and the data types ContainerDefinition and PortMapping.
    """
    definition = copy.deepcopy(request)
    containers = definition.get("containerDefinitions") or []
    _check(definition, containers)
    definition.setdefault("volumes", [])
    definition.setdefault("placementConstraints", [])
    definition.setdefault("networkMode", "bridge")
    definition["compatibilities"] = _compatibilities(definition)
    definition["containerDefinitions"] = [_container(each, definition["networkMode"]) for each in containers]
    return definition


def _check(definition: Members, containers: list[Members]) -> None:
    if not containers:
        raise ApiError("ClientException", "Container list cannot be empty.")
    names = [each.get("name") for each in containers]
    for each in containers:
        if not each.get("name"):
            raise ApiError("ClientException", "Container.name should not be null or empty.")
        if not each.get("image"):
            raise ApiError("ClientException", "Container.image should not be null or empty.")
    if len(set(names)) != len(names):
        raise ApiError("ClientException", "Container names must be unique within a task definition.")
    if not any(each.get("essential", True) for each in containers):
        raise ApiError("ClientException", "A task definition needs at least one essential container.")
    for each in containers:
        _check_dependencies(each, {other["name"]: other for other in containers})
    if "FARGATE" in (definition.get("requiresCompatibilities") or []):
        _check_fargate(definition)


def _check_dependencies(container: Members, others: Members) -> None:
    """ContainerDependency: of a container of the same task; HEALTHY needs its health check, COMPLETE its end."""
    for dependency in container.get("dependsOn") or []:
        name, condition = dependency["containerName"], dependency["condition"]
        if name not in others or name == container["name"]:
            raise ApiError("ClientException", f"Container {container['name']} depends on unknown container {name}.")
        if condition == "HEALTHY" and not others[name].get("healthCheck"):
            raise ApiError("ClientException", f"Container {name} has no health check, which condition HEALTHY needs.")
        if condition in {"COMPLETE", "SUCCESS"} and others[name].get("essential", True):
            raise ApiError("ClientException", f"Condition {condition} cannot be set on the essential container {name}.")


def _check_fargate(definition: Members) -> None:
    if definition.get("networkMode", "bridge") != "awsvpc":
        raise ApiError("ClientException", "Fargate only supports network mode 'awsvpc'.")
    for member in ("cpu", "memory"):
        if not definition.get(member):
            raise ApiError("ClientException", f"Fargate requires that '{member}' be defined at the task level.")
    fargate.check_size(definition)


def _compatibilities(definition: Members) -> list[str]:
    fargate = "FARGATE" in (definition.get("requiresCompatibilities") or [])
    return ["EC2", "FARGATE"] if fargate else ["EC2"]


def _container(given: Members, network_mode: str) -> Members:
    container = {**copy.deepcopy(_CONTAINER_DEFAULTS), **given}
    container["portMappings"] = [_port_mapping(each, network_mode) for each in container["portMappings"]]
    return container


def _port_mapping(given: Members, network_mode: str) -> Members:
    mapping = {"protocol": "tcp", **given}
    if network_mode != "bridge":
        mapping["hostPort"] = mapping["containerPort"]
    mapping.setdefault("hostPort", 0)
    return mapping
