"""ListServiceDeployments, DescribeServiceDeployments, DescribeServiceRevisions; stopping and continuing them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ministack.services import ecs

from embedded_aws.api import ApiError, json_action, page
from embedded_aws.ecs import circuit_breaker, deployments, pause_hooks, records

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record

_BRIEF = (
    "serviceDeploymentArn",
    "serviceArn",
    "clusterArn",
    "startedAt",
    "createdAt",
    "finishedAt",
    "status",
    "statusReason",
)
_STOPPED_BY_USER = "Service deployment rolled back because a user asked for it."


def install() -> None:
    """Replace ministack's operations."""
    ecs._ACTION_MAP.update(
        ListServiceDeployments=json_action(_list),
        DescribeServiceDeployments=json_action(_describe),
        DescribeServiceRevisions=json_action(_describe_revisions),
        StopServiceDeployment=json_action(_stop),
        ContinueServiceDeployment=json_action(_continue),
    )


def _list(request: Members) -> Members:
    cluster = records.cluster(request)
    service = records.find_service(cluster, str(request.get("service", "")))
    if service is None:
        raise ApiError("ServiceNotFoundException", "Service not found.")
    after = (request.get("createdAt") or {}).get("after", 0)
    before = (request.get("createdAt") or {}).get("before", float("inf"))
    with records.lock:
        found = [
            {**{name: each.get(name) for name in _BRIEF}, "targetServiceRevisionArn": _target(each)}
            for each in service["_service_deployments"]
            if each["status"] in (request.get("status") or [each["status"]]) and after <= each["createdAt"] <= before
        ]
    shown, more = page([records.shown(each) for each in found], request, default_size=20)
    return {"serviceDeployments": shown, **more}


def _describe(request: Members) -> Members:
    found, failures = [], []
    for arn in request.get("serviceDeploymentArns") or []:
        with records.lock:
            service, record = _find(arn)
            if service is None or record is None:
                failures.append({"arn": arn, "reason": "MISSING"})
            else:
                found.append(_shown(service, record))
    return {"serviceDeployments": found, "failures": failures}


def _describe_revisions(request: Members) -> Members:
    known = {each["serviceRevisionArn"]: each for service in records.services() for each in service["_revisions"]}
    wanted = request.get("serviceRevisionArns") or []
    return {
        "serviceRevisions": [_shown_revision(known[arn]) for arn in wanted if arn in known],
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in wanted if arn not in known],
    }


def _stop(request: Members) -> Members:
    arn = str(request.get("serviceDeploymentArn", ""))
    with records.lock:
        service, record = _known(arn)
        if record["status"] != "IN_PROGRESS" or not service["_completed"]:
            raise ApiError("ConflictException", "Cannot stop service deployment in its current state.")
        deployments.roll_back(service, _STOPPED_BY_USER)
    records.wake.set()
    return {"serviceDeploymentArn": arn}


def _continue(request: Members) -> Members:
    arn = str(request.get("serviceDeploymentArn", ""))
    with records.lock:
        service, record = _known(arn)
        pause_hooks.go_on(service, record, str(request.get("hookId", "")), request.get("action") or "CONTINUE")
    return {"serviceDeploymentArn": arn}


def _known(arn: str) -> tuple[Record, Record]:
    service, record = _find(arn)
    if service is None or record is None:
        raise ApiError("ServiceDeploymentNotFoundException", "Service deployment not found.")
    return service, record


def _find(arn: str) -> tuple[Record | None, Record | None]:
    for service in records.services():
        for record in service["_service_deployments"]:
            if record["serviceDeploymentArn"] == arn:
                return service, record
    return None, None


def _target(record: Record) -> str:
    return str(record["_deployment"]["_revision"]["serviceRevisionArn"])


def _shown(service: Record, record: Record) -> Members:
    deployment = record["_deployment"]
    breaker = {
        "status": _breaker_status(service, record),
        "failureCount": deployment["failedTasks"],
        "threshold": ecs._circuit_breaker_threshold(service),
    }
    sources = [_summary(service, revision) for revision in record["_sources"]]
    return {
        **records.shown(record),
        "sourceServiceRevisions": sources,
        "targetServiceRevision": _summary(service, deployment["_revision"]),
        "deploymentConfiguration": service["deploymentConfiguration"],
        "deploymentCircuitBreaker": breaker,
    }


def _breaker_status(service: Record, record: Record) -> str:
    if not circuit_breaker.is_enabled(service):
        return "DISABLED"
    if record["_deployment"]["rolloutState"] == "FAILED":
        return "TRIGGERED"
    return "MONITORING" if record["status"] == "IN_PROGRESS" else "MONITORING_COMPLETE"


def _summary(service: Record, revision: Record) -> Members:
    own = [each for each in service["deployments"] if each["_revision"] is revision]
    return {
        "arn": revision["serviceRevisionArn"],
        "requestedTaskCount": sum(each["desiredCount"] for each in own),
        "runningTaskCount": sum(each["runningCount"] for each in own),
        "pendingTaskCount": sum(each["pendingCount"] for each in own),
    }


def _shown_revision(revision: Record) -> Members:
    digests = revision["_pinned"].as_dict()
    images = [
        {"containerName": name, "image": image, **({"imageDigest": digests[name]} if name in digests else {})}
        for name, image in revision["_images"].items()
    ]
    return {**records.shown(revision), "containerImages": images}
