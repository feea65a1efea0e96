"""What RunTask and CreateService check alike before a task can be placed, and where it is placed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ministack.services import ecs

from embedded_aws.api import ApiError
from embedded_aws.ecs import container_instances, fargate

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record

FARGATE_FULL = "Capacity is unavailable at this time. Please try again later or in a different availability zone."
INSTANCES_FULL = "no container instance met all of its requirements."


def choice(request: Members, cluster: Record, definition: Record) -> Members:
    """Decide launch type and capacity provider strategy; raise InvalidParameterException where they do not fit."""
    launch_type, strategy, error = ecs._launch_choice(request, cluster)
    if error:
        raise ApiError("InvalidParameterException", json.loads(error[2])["message"])
    runs_on, _ = ecs._task_capacity(launch_type, strategy)
    if runs_on not in definition["compatibilities"]:
        raise ApiError("InvalidParameterException", f"Task definition does not support launch_type {runs_on}.")
    return {"launchType": launch_type, "capacityProviderStrategy": strategy}


def check_network(request: Members, definition: Record) -> None:
    """Raise InvalidParameterException when a network configuration is missing or out of place."""
    given = bool((request.get("networkConfiguration") or {}).get("awsvpcConfiguration"))
    awsvpc = definition["networkMode"] == "awsvpc"
    if awsvpc and not given:
        raise ApiError(
            "InvalidParameterException",
            "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
        )
    if given and not awsvpc:
        raise ApiError(
            "InvalidParameterException",
            "Network Configuration is not valid for the given networkMode of this task definition.",
        )
    if given and request.get("launchType") == "FARGATE":
        fargate.check_zones(request["networkConfiguration"])


def placement(chosen: Members, cluster: Record, platform_version: str | None) -> Members:
    """Give the members of a task that say where it runs."""
    launch_type, provider = ecs._task_capacity(chosen["launchType"], chosen["capacityProviderStrategy"])
    members: Members = {"launchType": launch_type, "capacityProviderName": provider}
    if launch_type == "FARGATE":
        latest = platform_version in {None, "", "LATEST"}
        return {**members, "platformVersion": "1.4.0" if latest else platform_version, "platformFamily": "Linux"}
    return {**members, "containerInstanceArn": container_instances.instance_arn(cluster)}
