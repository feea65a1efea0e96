"""A task as the API shows it: how its record begins and which changes it goes through.

Data types Task, Container and Attachment; Developer Guide, "Amazon ECS task lifecycle".
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Any

from ministack.services import ecs

from embedded_aws import addresses, behaviour
from embedded_aws.ecs import records, tags

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record, Tags

_STATE: Record = {
    "attributes": [{"name": "ecs.cpu-architecture", "value": "x86_64"}],
    "connectivity": "CONNECTED",
    "desiredStatus": "RUNNING",
    "lastStatus": "PROVISIONING",
    "healthStatus": "UNKNOWN",
    "enableExecuteCommand": False,
    "version": 1,
}
STARTING = ("PROVISIONING", "PENDING", "ACTIVATING")


def create(cluster: Record, definition: Record, members: Members, task_tags: Tags) -> Record:
    """Make and store the record of a task that is about to start; `members` are added to it."""
    task_arn = records.arn("task", cluster["clusterName"], uuid.uuid4().hex)
    overrides = _overrides(definition, members.pop("overrides", None) or {})
    task: Record = {
        "taskArn": task_arn,
        "clusterArn": cluster["clusterArn"],
        "taskDefinitionArn": definition["taskDefinitionArn"],
        **{name: definition.get(name) for name in ("cpu", "memory", "ephemeralStorage")},
        **_STATE,
        "attachments": _attachments(definition, members),
        "availabilityZone": f"{task_arn.split(':')[3]}a",
        "containers": [_container(task_arn, each) for each in definition["containerDefinitions"]],
        "createdAt": time.time(),
        "overrides": overrides,
        **members,
    }
    with records.lock:
        ecs._tasks[task_arn] = task
        tags.write(task_arn, task_tags)
    return task


def _overrides(definition: Record, given: Members) -> Members:
    """Every container by its name, with what RunTask was given for it (AWS CLI, example of run-task)."""
    named = {each["name"]: each for each in given.get("containerOverrides") or []}
    containers = [named.get(each["name"], {"name": each["name"]}) for each in definition["containerDefinitions"]]
    return {"inferenceAcceleratorOverrides": [], **given, "containerOverrides": containers}


def mark(task: Record, status: str, **members: Any) -> None:
    """Move a task to its next status and wake the scheduler."""
    with records.lock:
        task.update(lastStatus=status, version=task["version"] + 1, **members)
    records.wake.set()


def want_stopped(task: Record, reason: str, code: str) -> bool:
    """Note that a task shall stop, and why; give whether it was not known before. Its tags go at once (StopTask)."""
    with records.lock:
        if task["desiredStatus"] == "STOPPED":
            return False
        task.update(
            desiredStatus="STOPPED",
            stoppedReason=reason,
            stopCode=code,
            stoppingAt=time.time(),
            version=task["version"] + 1,
        )
        if behaviour.current.stop_removes_tags:
            tags.remove_all(task["taskArn"])
    records.wake.set()
    return True


def container(task: Record, name: str) -> Record:
    """Find a container of a task."""
    return next(each for each in task["containers"] if each["name"] == name)


def set_address(task: Record, address: str) -> None:
    """Give a task its addresses: the network interface's in the awsvpc mode, as its subnet has them."""
    with records.lock:
        for attachment in task["attachments"]:
            subnet = next(str(each["value"]) for each in attachment["details"] if each["name"] == "subnetId")
            ipv4, ipv6 = addresses.of_subnet(subnet, address)
            attachment["status"] = "ATTACHED"
            attachment["details"].append({"name": "networkInterfaceId", "value": f"eni-{uuid.uuid4().hex[:17]}"})
            attachment["details"] += [{"name": "privateIPv4Address", "value": ipv4}] if ipv4 else []
            interface = {"attachmentId": attachment["id"], "privateIpv4Address": ipv4, "ipv6Address": ipv6}
            shown = {name: value for name, value in interface.items() if value}
            for each in task["containers"]:
                each["networkInterfaces"] = [shown]
            task["_addresses"] = {"ipv4": ipv4, "ipv6": ipv6}


def _attachments(definition: Record, members: Members) -> list[Record]:
    if definition["networkMode"] != "awsvpc":
        return []
    subnet = ecs._requested_subnet({"networkConfiguration": members.pop("networkConfiguration", None)})
    return [
        {
            "id": str(uuid.uuid4()),
            "type": "ElasticNetworkInterface",
            "status": "PRECREATED",
            "details": [{"name": "subnetId", "value": subnet or ""}],
        }
    ]


def _container(task_arn: str, definition: Members) -> Record:
    return {
        "containerArn": records.arn("container", *task_arn.split("/")[1:], str(uuid.uuid4())),
        "taskArn": task_arn,
        "name": definition["name"],
        "image": definition["image"],
        "lastStatus": "PENDING",
        "networkBindings": [],
        "networkInterfaces": [],
        "healthStatus": "UNKNOWN",
        "cpu": str(definition.get("cpu", 0)),
        "memory": definition.get("memory") and str(definition["memory"]),
        "memoryReservation": definition.get("memoryReservation") and str(definition["memoryReservation"]),
        "_essential": definition.get("essential", True),
        "_checked": bool(definition.get("healthCheck")),
    }
