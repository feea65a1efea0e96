"""Task definitions: every member that is given is kept, names resolve as on AWS, tags come when asked for."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from ministack.services import ecs

from embedded_aws import behaviour
from embedded_aws.api import ApiError, json_action, page
from embedded_aws.ecs import records, tags
from embedded_aws.ecs.task_definition_shape import with_defaults

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record

_FAMILY = re.compile(r"[A-Za-z0-9_-]{1,255}")
_STILL_ACTIVE = "The specified task definition is still in ACTIVE status. Please deregister the target and try again."


def install() -> None:
    """Replace ministack's operations."""
    ecs._ACTION_MAP.update(
        RegisterTaskDefinition=json_action(register),
        DeregisterTaskDefinition=json_action(deregister),
        DescribeTaskDefinition=json_action(_describe),
        ListTaskDefinitions=json_action(_list),
        DeleteTaskDefinitions=json_action(_delete),
    )


def register(request: Members) -> Members:
    """RegisterTaskDefinition."""
    family = request.get("family", "")
    if not _FAMILY.fullmatch(family):
        raise ApiError("ClientException", "Family contains invalid characters.")
    given_tags = tags.check(request.get("tags") or [])
    definition = with_defaults({name: value for name, value in request.items() if name != "tags"})
    with records.lock:
        revision = ecs._next_task_def_revision(family)
        arn = records.arn("task-definition", f"{family}:{revision}")
        definition.update(
            taskDefinitionArn=arn,
            revision=revision,
            status="ACTIVE",
            registeredAt=time.time(),
            registeredBy=f"arn:aws:iam::{arn.split(':')[4]}:root",
        )
        ecs._task_defs[f"{family}:{revision}"] = definition
        tags.write(arn, given_tags)
    return {"taskDefinition": records.shown(definition), **({"tags": given_tags} if given_tags else {})}


def deregister(request: Members) -> Members:
    """DeregisterTaskDefinition: the revision becomes INACTIVE, and what runs with it goes on."""
    reference = str(request.get("taskDefinition", ""))
    definition = find(reference)
    if definition is None or not _names_revision(reference):
        raise ApiError(
            "ClientException",
            "The specified task definition does not exist. Specify a valid account, family, revision and try again.",
        )
    with records.lock:
        if definition["status"] == "ACTIVE":
            definition.update(status="INACTIVE", deregisteredAt=time.time(), _inactive_since=time.monotonic())
    return {"taskDefinition": records.shown(definition)}


def find(reference: str) -> Record | None:
    """Find a revision by ARN or `family:revision`; a bare family means its newest ACTIVE one."""
    if reference.startswith("arn:"):
        reference = ecs._ecs_single_resource_tail(reference, "task-definition") or ""
    if ":" in reference:
        found: Record | None = ecs._task_defs.get(reference)
        return found
    active = [each for each in ecs._task_defs.values() if each["family"] == reference and each["status"] == "ACTIVE"]
    return max(active, key=_revision, default=None)


def usable(reference: str) -> Record:
    """Find the revision for new tasks; raise when there is none or when it is inactive.

    AWS goes on accepting a deregistered revision for up to ten minutes (DeregisterTaskDefinition): behaviour
    `inactive_delay`.
    """
    definition = find(reference)
    if definition is None:
        raise ApiError("ClientException", "TaskDefinition not found.")
    if definition["status"] != "ACTIVE":
        age = time.monotonic() - definition.get("_inactive_since", 0.0)
        if definition["status"] != "INACTIVE" or age >= behaviour.current.inactive_delay:
            raise ApiError("ClientException", "TaskDefinition is inactive")
    return definition


def _describe(request: Members) -> Members:
    definition = find(str(request.get("taskDefinition", "")))
    if definition is None or not _discoverable(definition):
        raise ApiError("ClientException", "Unable to describe task definition.")
    answer: Members = {"taskDefinition": records.shown(definition)}
    if "TAGS" in (request.get("include") or []):
        answer["tags"] = tags.read(definition["taskDefinitionArn"])
    return answer


def _discoverable(definition: Record) -> bool:
    """A deregistered revision is shown while an active task or a service references it; AWS may show it longer."""
    if definition["status"] != "INACTIVE" or not behaviour.current.inactive_forgotten:
        return True
    arn = definition["taskDefinitionArn"]
    tasks = (each for each in ecs._tasks.values() if each["lastStatus"] != "STOPPED")
    return any(each["taskDefinitionArn"] == arn for each in tasks) or any(
        arn in {service["taskDefinition"], *(each["taskDefinition"] for each in service["deployments"])}
        for service in records.services()
    )


def _list(request: Members) -> Members:
    family, status = request.get("familyPrefix"), request.get("status") or "ACTIVE"
    found = [
        each
        for each in ecs._task_defs.values()
        if each["status"] == status and (not family or each["family"] == family) and _discoverable(each)
    ]
    found.sort(key=lambda each: (each["family"], _revision(each)), reverse=request.get("sort") == "DESC")
    shown, more = page([each["taskDefinitionArn"] for each in found], request)
    return {"taskDefinitionArns": shown, **more}


def _delete(request: Members) -> Members:
    deleted, failures = [], []
    for reference in request.get("taskDefinitions", []):
        definition = find(reference) if _names_revision(reference) else None
        if definition is None:
            failures.append({"arn": reference, "reason": "The specified task definition identifier is invalid."})
        elif definition["status"] == "ACTIVE":
            failures.append({"arn": definition["taskDefinitionArn"], "reason": _STILL_ACTIVE})
        else:
            definition.update(status="DELETE_IN_PROGRESS", deleteRequestedAt=time.time())
            deleted.append(records.shown(definition))
    return {"taskDefinitions": deleted, "failures": failures}


def _names_revision(reference: str) -> bool:
    return ":" in reference.rsplit("task-definition/", maxsplit=1)[-1]


def _revision(definition: Record) -> int:
    return int(definition["revision"])


def container(definition: Record, name: str) -> dict[str, Any] | None:
    """Find one container's definition by its name."""
    return next((each for each in definition["containerDefinitions"] if each["name"] == name), None)
