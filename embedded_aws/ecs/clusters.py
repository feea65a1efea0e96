"""DeleteCluster: refused while services or tasks are left in the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.services import ecs

from embedded_aws.api import ApiError, json_action
from embedded_aws.ecs import records

if TYPE_CHECKING:
    from embedded_aws.api import Members


def install() -> None:
    """Replace ministack's operation."""
    ecs._ACTION_MAP["DeleteCluster"] = json_action(delete)


def delete(request: Members) -> Members:
    """DeleteCluster."""
    cluster = records.cluster(request)
    arn = cluster["clusterArn"]
    with records.lock:
        if any(each["status"] != "INACTIVE" for each in records.services(arn)):
            message = "The Cluster cannot be deleted while Services are active."
            raise ApiError("ClusterContainsServicesException", message)
        if any(each["lastStatus"] != "STOPPED" for each in records.tasks(arn)):
            message = "The Cluster cannot be deleted while Tasks are active."
            raise ApiError("ClusterContainsTasksException", message)
        ecs._clusters.pop(cluster["clusterName"], None)
        ecs._tags.pop(arn, None)
    return {"cluster": {**records.shown(cluster), "status": "INACTIVE"}}
