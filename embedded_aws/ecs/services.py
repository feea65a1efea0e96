"""CreateService, UpdateService, DeleteService, DescribeServices and ListServices."""

from __future__ import annotations

import copy
import time
from typing import TYPE_CHECKING

from ministack.services import ecs

from embedded_aws.api import ApiError, json_action, page
from embedded_aws.ecs import (
    deployments,
    history,
    launching,
    records,
    scheduler,
    service_arns,
    service_checks,
    tags,
    task_definitions,
)

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record

_DEFAULTS: Members = {
    "desiredCount": 1,
    "loadBalancers": [],
    "serviceRegistries": [],
    "schedulingStrategy": "REPLICA",
    "deploymentController": {"type": "ECS"},
    "placementConstraints": [],
    "placementStrategy": [],
    "enableECSManagedTags": False,
    "enableExecuteCommand": False,
    "propagateTags": "NONE",
}
_STATE: Members = {
    "status": "ACTIVE",
    "runningCount": 0,
    "pendingCount": 0,
    "deployments": [],
    "events": [],
    "_steady": False,
    "_completed": None,
    "_service_deployments": [],
    "_revisions": [],
}
_NOT_STORED = {"cluster", "service", "serviceName", "clientToken", "tags", "forceNewDeployment", "role"}


def install() -> None:
    """Replace ministack's operations and start the scheduler."""
    ecs._ACTION_MAP.update(
        CreateService=json_action(create),
        UpdateService=json_action(update),
        DeleteService=json_action(delete),
        DescribeServices=json_action(_describe),
        ListServices=json_action(_list),
    )
    scheduler.start()


def create(request: Members) -> Members:
    """CreateService."""
    cluster = records.cluster(request)
    name = request.get("serviceName") or ""
    given_tags = tags.check(request.get("tags") or [])
    with records.lock:
        _check_name(cluster, name)
        definition = task_definitions.usable(str(request.get("taskDefinition", "")))
        chosen = launching.choice(request, cluster, definition)
        service_checks.check(request, definition)
        service = _new(cluster, name, service_arns.of_new(cluster, name, given_tags), request)
        service.update(chosen, taskDefinition=definition["taskDefinitionArn"])
        tags.write(service["serviceArn"], given_tags)
        deployments.begin_service_deployment(service, deployments.begin(service))
        ecs._services[f"{cluster['clusterName']}/{name}"] = service
        return _changed(service)


def update(request: Members) -> Members:
    """UpdateService."""
    cluster = records.cluster(request)
    with records.lock:
        service = _existing(cluster, request)
        if service["status"] != "ACTIVE":
            raise ApiError("ServiceNotActiveException", "Service was not ACTIVE.")
        changes = {name: value for name, value in request.items() if name not in _NOT_STORED and value is not None}
        definition = _definition(service, changes)
        if "deploymentConfiguration" in changes:
            changes["deploymentConfiguration"] = _merged(service, changes["deploymentConfiguration"])
        if "capacityProviderStrategy" in changes:
            changes["launchType"] = None if changes["capacityProviderStrategy"] else service["launchType"]
        service_checks.check({**service, **changes}, definition)
        is_new = any(service.get(name) != changes[name] for name in deployments.REVISION_MEMBERS if name in changes)
        service.update(changes)
        if is_new or request.get("forceNewDeployment"):
            deployments.begin_service_deployment(service, deployments.begin(service))
        deployments.primary(service).update(desiredCount=service["desiredCount"], updatedAt=time.time())
        return _changed(service)


def delete(request: Members) -> Members:
    """DeleteService: the tasks are drained and stopped, then the service is INACTIVE."""
    cluster = records.cluster(request)
    with records.lock:
        service = _existing(cluster, request)
        if service["status"] == "INACTIVE":
            raise ApiError("ServiceNotFoundException", "Service not found.")
        if not request.get("force") and service["desiredCount"] > 0:
            message = "The service cannot be stopped while it is scaled above 0."
            raise ApiError("InvalidParameterException", message)
        service.update(status="DRAINING", desiredCount=0)
        return _changed(service)


def _changed(service: Record) -> Members:
    deployments.show_current(service)
    shown = records.shown(service)
    history.record_service(service["serviceArn"], shown)
    records.wake.set()
    return {"service": {**shown, "tags": tags.read(service["serviceArn"])}}


def _definition(service: Record, changes: Members) -> Record:
    """Find the revision of an update; the one that runs may be inactive, a new one may not."""
    if "taskDefinition" not in changes:
        current: Record = ecs._task_defs[service["taskDefinition"].rpartition("/")[2]]
        return current
    definition = task_definitions.usable(changes["taskDefinition"])
    changes["taskDefinition"] = definition["taskDefinitionArn"]
    return definition


def _check_name(cluster: Record, name: str) -> None:
    if not name:
        raise ApiError("InvalidParameterException", "Service name cannot be empty.")
    existing = records.find_service(cluster, name)
    if existing and existing["status"] == "ACTIVE":
        raise ApiError("InvalidParameterException", "Creation of service was not idempotent.")
    if existing and existing["status"] == "DRAINING":
        raise ApiError("InvalidParameterException", "Unable to Start a service that is still Draining.")


def _new(cluster: Record, name: str, arn: str, request: Members) -> Record:
    service: Record = {
        **copy.deepcopy(_DEFAULTS),
        "healthCheckGracePeriodSeconds": 0 if request.get("loadBalancers") else None,
        **{member: value for member, value in request.items() if member not in _NOT_STORED and value is not None},
        **copy.deepcopy(_STATE),
        "serviceArn": arn,
        "serviceName": name,
        "clusterArn": cluster["clusterArn"],
        "createdAt": time.time(),
        "createdBy": f"arn:aws:iam::{arn.split(':')[4]}:root",
    }
    service["deploymentConfiguration"] = _merged({}, request.get("deploymentConfiguration") or {})
    return service


def _merged(service: Record, given: Members) -> Members:
    current: Members = service.get("deploymentConfiguration") or {
        "deploymentCircuitBreaker": {"enable": False, "rollback": False},
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    return {**current, **{name: value for name, value in given.items() if value is not None}}


def _existing(cluster: Record, request: Members) -> Record:
    service = records.find_service(cluster, str(request.get("service", "")))
    if service is None:
        raise ApiError("ServiceNotFoundException", "Service not found.")
    return service


def _describe(request: Members) -> Members:
    cluster = records.cluster(request)
    references = request.get("services") or []
    if not 1 <= len(references) <= 10:
        raise ApiError("InvalidParameterException", "Services takes 1 to 10 names or ARNs.")
    with_tags = "TAGS" in (request.get("include") or [])
    shown, failures = [], []
    for reference in references:
        service = _as_of_now(cluster, reference, with_tags=with_tags)
        if service is None:
            known_arn = reference.startswith("arn:")
            arn = reference if known_arn else records.arn("service", cluster["clusterName"], reference)
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            shown.append(service)
    return {"services": shown, "failures": failures}


def _as_of_now(cluster: Record, reference: str, *, with_tags: bool) -> Members | None:
    with records.lock:
        service = records.find_service(cluster, reference)
        if service is None:
            return None
        arn = service["serviceArn"]
        lag = history.lag_of_answer(arn)
        shown = history.service_as_of_now(arn, records.shown(service), lag)
        if shown is not None and with_tags:
            shown = {**shown, "tags": history.tags_as_of_now(arn, tags.read(arn), lag)}
        return shown


def _list(request: Members) -> Members:
    cluster = records.cluster(request)
    filters = {name: request.get(name) for name in ("launchType", "schedulingStrategy") if request.get(name)}
    arns = [
        each["serviceArn"]
        for each in records.services(cluster["clusterArn"])
        if each["status"] != "INACTIVE" and all(each.get(name) == value for name, value in filters.items())
    ]
    shown, more = page(arns, request, default_size=10)
    return {"serviceArns": shown, **more}
