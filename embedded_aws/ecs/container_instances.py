"""The one container instance of each cluster: this machine, where tasks of launch type EC2 run."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ministack.services import ecs

from embedded_aws.api import ApiError, json_action
from embedded_aws.ecs import records

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record


_LIMIT = 100


def install() -> None:
    """Replace ministack's operations."""
    ecs._ACTION_MAP.update(
        ListContainerInstances=json_action(_list),
        DescribeContainerInstances=json_action(_describe),
    )


def instance_arn(cluster: Record) -> str:
    """Give the ARN of a cluster's container instance."""
    return records.arn("container-instance", cluster["clusterName"], _digest(cluster)[:32])


def instance_id(cluster: Record) -> str:
    """Give the EC2 id of a cluster's container instance, by which it is registered as a target."""
    return f"i-{_digest(cluster)[:17]}"


def _digest(cluster: Record) -> str:
    return hashlib.sha256(str(cluster["clusterArn"]).encode()).hexdigest()


def _tasks(cluster: Record) -> list[Record]:
    arn = instance_arn(cluster)
    return [each for each in records.tasks(cluster["clusterArn"]) if each.get("containerInstanceArn") == arn]


def _list(request: Members) -> Members:
    cluster = records.cluster(request)
    return {"containerInstanceArns": [instance_arn(cluster)] if _tasks(cluster) else []}


def _describe(request: Members) -> Members:
    cluster = records.cluster(request)
    known = instance_arn(cluster)
    references = request.get("containerInstances") or []
    if not 1 <= len(references) <= _LIMIT:
        raise ApiError("InvalidParameterException", f"Container instances takes 1 to {_LIMIT} IDs or ARNs.")
    instances, failures = [], []
    for reference in references:
        if reference in {known, known.rsplit("/", 1)[-1]}:
            instances.append(_shown(cluster))
        else:
            failures.append({"arn": reference, "reason": "MISSING"})
    return {"containerInstances": instances, "failures": failures}


def _shown(cluster: Record) -> Members:
    states = [each["lastStatus"] for each in _tasks(cluster)]
    return {
        "containerInstanceArn": instance_arn(cluster),
        "ec2InstanceId": instance_id(cluster),
        "status": "ACTIVE",
        "agentConnected": True,
        "runningTasksCount": states.count("RUNNING"),
        "pendingTasksCount": states.count("PENDING"),
        "attributes": [],
        "attachments": [],
        "registeredResources": [],
        "remainingResources": [],
    }
