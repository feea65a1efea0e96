"""AWS::ECS::Cluster, ::TaskDefinition and ::Service, made and deleted by the API's own operations.

Template reference of these types: what Ref and Fn::GetAtt return, and what replaces a resource.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ministack.services.cloudformation import provisioners, stacks

from embedded_aws.api import ApiError
from embedded_aws.cloudformation.properties import api_members, tags
from embedded_aws.ecs import clusters, deployments, records, services, task_definitions
from embedded_aws.ecs import tags as ecs_tags

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record

    Made = tuple[str, Members]

_SERVICE_TYPE = "AWS::ECS::Service"
_POLL_SECONDS = 0.1
_STABLE_SECONDS = 900.0
_DELETED_SECONDS = 7200.0


def install() -> None:
    """Replace ministack's resource types; a service is waited for, so it is made off the event loop."""
    provisioners._RESOURCE_HANDLERS["AWS::ECS::Cluster"]["delete"] = _delete_cluster
    provisioners._RESOURCE_HANDLERS["AWS::ECS::TaskDefinition"].update(
        create=_create_definition, update=_update_definition, delete=_delete_definition
    )
    provisioners._RESOURCE_HANDLERS[_SERVICE_TYPE].update(
        create=_create_service, update=_update_service, delete=_delete_service
    )
    provisioners._REPLACING_PROPERTIES[_SERVICE_TYPE] = (
        "Cluster",
        "LaunchType",
        "Role",
        "SchedulingStrategy",
        "ServiceName",
    )
    runs_on_worker = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: kind == _SERVICE_TYPE or runs_on_worker(kind)


def _delete_cluster(name: str, _properties: Members) -> None:
    clusters.delete({"cluster": name})


def _create_definition(logical_id: str, properties: Members, stack: str) -> Made:
    given = {name: value for name, value in properties.items() if name != "Tags"}
    request = {"family": f"{stack}-{logical_id}", **api_members("ecs", "RegisterTaskDefinition", given)}
    arn = str(task_definitions.register(request)["taskDefinition"]["taskDefinitionArn"])
    ecs_tags.write(arn, tags(properties))
    return arn, {"TaskDefinitionArn": arn}


def _update_definition(arn: str, old: Members, new: Members, stack: str, logical_id: str) -> Made:
    if {**old, "Tags": None} == {**new, "Tags": None}:
        ecs_tags.write(arn, tags(new))
        return arn, {"TaskDefinitionArn": arn}
    return _create_definition(logical_id, new, stack)


def _delete_definition(arn: str, _properties: Members) -> None:
    if task_definitions.find(arn):
        task_definitions.deregister({"taskDefinition": arn})


def _create_service(logical_id: str, properties: Members, stack: str) -> Made:
    given = {name: value for name, value in properties.items() if name != "Tags"}
    request = {"serviceName": f"{stack}-{logical_id}", **api_members("ecs", "CreateService", given)}
    with records.lock:
        arn = str(services.create(request)["service"]["serviceArn"])
        ecs_tags.write(arn, tags(properties))
    _await_stable(arn)
    return arn, _attributes(arn)


def _update_service(arn: str, old: Members, new: Members, _stack: str) -> Made:
    """Send all that the template names; DesiredCount that it does not name is left alone (template reference)."""
    ecs_tags.write(arn, tags(new))
    if {**old, "Tags": None} != {**new, "Tags": None}:
        given = {name: value for name, value in new.items() if name != "Tags"}
        services.update({**api_members("ecs", "UpdateService", given), **_reference(arn)})
        _await_stable(arn)
    return arn, _attributes(arn)


def _delete_service(arn: str, _properties: Members) -> None:
    try:
        services.delete({**_reference(arn), "force": True})
    except ApiError:  # it is gone
        return
    deadline = time.monotonic() + _DELETED_SECONDS
    while _service(arn)["status"] != "INACTIVE" and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _attributes(arn: str) -> Members:
    return {"ServiceArn": arn, "Name": arn.rpartition("/")[2]}


def _reference(arn: str) -> dict[str, Any]:
    return {"cluster": arn.split("/")[1], "service": arn.rpartition("/")[2]}


def _service(arn: str) -> Record:
    return next(each for each in records.services() if each["serviceArn"] == arn)


def _await_stable(arn: str) -> None:
    """Wait for the service's steady state, as CloudFormation does; raise ValueError when it does not come."""
    with records.lock:
        begun = deployments.primary(_service(arn))["id"]
    deadline = time.monotonic() + _STABLE_SECONDS
    while time.monotonic() < deadline:
        with records.lock:
            service = _service(arn)
            deployment = deployments.primary(service)
            is_rolled_back = deployment["id"] != begun
            if is_rolled_back or deployment["rolloutState"] == "FAILED":
                raise ValueError("Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.")
            if service["_steady"]:
                return
        time.sleep(_POLL_SECONDS)
    raise ValueError("Resource timed out waiting for completion")
