"""ministack's stores of ECS records, the lock that guards them, and how requests name what is in them."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any

from ministack.services import ecs

from embedded_aws.api import ApiError

if TYPE_CHECKING:
    from embedded_aws.api import Members

    Record = dict[str, Any]
    Tags = list[dict[str, str]]

#: Held for every change of a record and every look at several; never while the Docker engine is called.
lock = threading.RLock()
#: Set whenever the service scheduler has something to look at.
wake = threading.Event()


def arn(kind: str, *path: str) -> str:
    """Give the ARN of an ECS resource."""
    region, account = os.environ["MINISTACK_REGION"], os.environ["MINISTACK_ACCOUNT_ID"]
    return f"arn:aws:ecs:{region}:{account}:{kind}/{'/'.join(path)}"


def cluster(request: Members) -> Record:
    """Find the cluster that a request names; raise ClusterNotFoundException."""
    name = ecs._resolve_cluster_name(request.get("cluster") or "default")
    found: Record | None = ecs._clusters.get(name) if name else None
    if found is None:
        raise ApiError("ClusterNotFoundException", "Cluster not found.")
    return found


def services(cluster_arn: str | None = None) -> list[Record]:
    """Give the services of one cluster, or all."""
    return [each for each in ecs._services.values() if cluster_arn in {None, each["clusterArn"]}]


def find_service(cluster_record: Record, reference: str) -> Record | None:
    """Find a service by name or ARN in one cluster, whatever its status."""
    resolved = ecs._resolve_service_ref(reference or "")
    if resolved is None or resolved[1] not in {None, cluster_record["clusterName"]}:
        return None
    found: Record | None = ecs._services.get(f"{cluster_record['clusterName']}/{resolved[0]}")
    return found


def tasks(cluster_arn: str) -> list[Record]:
    """Give all tasks of a cluster that are not forgotten, oldest first."""
    return [each for each in ecs._tasks.values() if each["clusterArn"] == cluster_arn]


def path(service: Record) -> tuple[str, str]:
    """Give the names of a service's cluster and of itself, of which other ARNs are made."""
    return service["clusterArn"].rpartition("/")[2], service["serviceName"]


def service_tasks(service: Record) -> list[Record]:
    """Give all tasks that a service started, stopped ones too, oldest first."""
    return [each for each in tasks(service["clusterArn"]) if each.get("_service") == service["serviceArn"]]


def find_task(cluster_record: Record, reference: str) -> Record | None:
    """Find a task by ARN or id in one cluster."""
    if reference.startswith("arn:"):
        found: Record | None = ecs._tasks.get(reference)
    else:
        found = ecs._tasks.get(arn("task", cluster_record["clusterName"], reference))
    return found if found and found["clusterArn"] == cluster_record["clusterArn"] else None


def shown(record: Record) -> Record:
    """Give a copy of a record as the API shows it: without what is ours and without empty members."""
    with lock:
        copy: Record = ecs._sanitize(record)
    return copy
