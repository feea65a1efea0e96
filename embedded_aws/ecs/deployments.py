"""A service's deployments and what the service deployment API tells about them.

Data types Deployment, ServiceDeployment and ServiceRevision.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from ministack.services import ecs

from embedded_aws.ecs import records, revision_groups, service_events
from embedded_aws.ecs.task_images import PinnedDigests

if TYPE_CHECKING:
    from embedded_aws.ecs.records import Record

REVISION_MEMBERS = (
    "taskDefinition",
    "launchType",
    "capacityProviderStrategy",
    "platformVersion",
    "networkConfiguration",
    "loadBalancers",
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
    "gatewayConnectors",
)
DEPLOYMENT_MEMBERS = (
    "platformVersion",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
)
"""DescribeServices shows these of each deployment (data type Deployment), where the service has them."""

TRIPPED = "Service deployment rolled back because the circuit breaker threshold was exceeded."


def primary(service: Record) -> Record:
    """Give a service's newest deployment."""
    newest: Record = service["deployments"][0]
    return newest


def show_current(service: Record) -> None:
    """Note what DescribeServices shows of the revisions and the deployment that a service has now."""
    revisions: dict[str, Record] = {}
    for each in service["deployments"]:
        summary = revisions.setdefault(
            each["_revision"]["serviceRevisionArn"],
            {"requestedTaskCount": 0, "runningTaskCount": 0, "pendingTaskCount": 0},
        )
        for name, count in (("requested", "desired"), ("running", "running"), ("pending", "pending")):
            summary[f"{name}TaskCount"] += each[f"{count}Count"]
    service["currentServiceRevisions"] = [{"arn": arn, **summary} for arn, summary in revisions.items()]
    if service["_service_deployments"]:
        service["currentServiceDeployment"] = service["_service_deployments"][0]["serviceDeploymentArn"]


def begin(service: Record, revision: Record | None = None) -> Record:
    """Begin a deployment of what the service is now, or of an earlier revision of it, as the PRIMARY one."""
    for earlier in service["deployments"]:
        earlier["status"] = "ACTIVE"
    service.update(revision["_members"] if revision else {})
    now = time.time()
    deployment: Record = {
        "id": f"ecs-svc/{uuid.uuid4().int % 10**19:019d}",
        "status": "PRIMARY",
        "taskDefinition": service["taskDefinition"],
        **{name: service.get(name) for name in ("launchType", "capacityProviderStrategy", "networkConfiguration")},
        **{name: service[name] for name in DEPLOYMENT_MEMBERS if service.get(name)},
        "desiredCount": service["desiredCount"],
        "pendingCount": 0,
        "runningCount": 0,
        "failedTasks": 0,
        "createdAt": now,
        "updatedAt": now,
        "rolloutState": "IN_PROGRESS",
        "_revision": revision or _new_revision(service),
        "_streak": 0,
        "_not_before": 0.0,
    }
    _say(service, deployment, "IN_PROGRESS", f"ECS deployment {deployment['id']} in progress.")
    service["deployments"].insert(0, deployment)
    return deployment


def begin_service_deployment(service: Record, deployment: Record) -> None:
    """Note a deployment that a user began; one that was under way ends as STOPPED."""
    history: list[Record] = service["_service_deployments"]
    if history and history[0]["status"] in {"IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}:
        close(history[0], "STOPPED", "Service deployment stopped because a newer one was started.")
    now = time.time()
    arn = records.arn("service-deployment", *records.path(service), uuid.uuid4().hex[:21])
    record: Record = {
        "serviceDeploymentArn": arn,
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "createdAt": now,
        "startedAt": now,
        "updatedAt": now,
        "status": "IN_PROGRESS",
        "_deployment": deployment,
        "_sources": [each["_revision"] for each in service["deployments"][1:]],
    }
    history.insert(0, record)


def complete(service: Record) -> None:
    """End the newest deployment well: it is what a later one is rolled back to."""
    deployment = primary(service)
    _say(service, deployment, "COMPLETED", f"ECS deployment {deployment['id']} completed.")
    service["_completed"] = deployment["_revision"]
    service_events.add(service, f"(deployment {deployment['id']}) deployment completed.")
    current = service["_service_deployments"][0]
    if current["status"] == "IN_PROGRESS":
        close(current, "SUCCESSFUL", "")
    elif current["status"] == "ROLLBACK_IN_PROGRESS":
        close(current, "ROLLBACK_SUCCESSFUL", current["rollback"]["reason"])


def fail(service: Record) -> None:
    """End the newest deployment badly; roll back where the breaker says so and there is something to go back to."""
    deployment, current = primary(service), service["_service_deployments"][0]
    _say(service, deployment, "FAILED", "ECS deployment circuit breaker: tasks failed to start.")
    service_events.add(service, f"(deployment {deployment['id']}) deployment failed: tasks failed to start.")
    breaker = service["deploymentConfiguration"]["deploymentCircuitBreaker"]
    if current["status"] == "ROLLBACK_IN_PROGRESS":
        close(current, "ROLLBACK_FAILED", "Service deployment rollback failed.")
    elif breaker["rollback"] and service.get("_completed"):
        roll_back(service, TRIPPED)
    else:
        close(current, "STOPPED", "Service deployment stopped because the circuit breaker threshold was exceeded.")


def roll_back(service: Record, reason: str) -> None:
    """Begin a new deployment of the last completed revision; tasks of that revision that still run are kept for it."""
    revision = service["_completed"]
    primary(service)["desiredCount"] = 0
    earlier = {each["id"] for each in service["deployments"] if each["_revision"] is revision}
    deployment = begin(service, revision)
    deployment["rolloutStateReason"] = (
        f"ECS deployment circuit breaker: rolling back to deploymentId {deployment['id']}."
    )
    service_events.add(service, f"rolling back to deployment {deployment['id']}.")
    for task in records.service_tasks(service):
        if task["_deployment"] in earlier and task["desiredStatus"] == "RUNNING":
            task["_deployment"] = deployment["id"]
    service["_service_deployments"][0].update(
        status="ROLLBACK_IN_PROGRESS",
        statusReason=reason,
        updatedAt=time.time(),
        rollback={"reason": reason, "startedAt": time.time(), "serviceRevisionArn": revision["serviceRevisionArn"]},
    )


def close(record: Record, status: str, reason: str) -> None:
    """End a service deployment."""
    now = time.time()
    record.update(status=status, statusReason=reason or None, updatedAt=now, finishedAt=now)
    if status == "STOPPED":
        record["stoppedAt"] = now


def _say(service: Record, deployment: Record, state: str, reason: str) -> None:
    deployment.update(rolloutState=state, rolloutStateReason=reason, updatedAt=time.time())
    service["_steady"] = False


def _new_revision(service: Record) -> Record:
    members = {name: service[name] for name in REVISION_MEMBERS if service.get(name) is not None}
    revision: Record = {
        "serviceRevisionArn": records.arn(
            "service-revision", *records.path(service), f"{uuid.uuid4().int % 10**19:019d}"
        ),
        "serviceArn": service["serviceArn"],
        "clusterArn": service["clusterArn"],
        "createdAt": time.time(),
        **members,
        "resolvedConfiguration": {"loadBalancers": revision_groups.shown(service)},
        "_members": members,
        "_pinned": PinnedDigests(),
        "_images": {
            each["name"]: each["image"]
            for each in ecs._task_defs[service["taskDefinition"].rpartition("/")[2]]["containerDefinitions"]
        },
    }
    service["_revisions"].append(revision)
    return revision
