"""RunTask: idempotent by its token, refused as on AWS, with tags from the call and from the revision."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ministack.services import ecs

from embedded_aws import behaviour
from embedded_aws.api import ApiError, json_action
from embedded_aws.ecs import client_tokens, launching, records, tags, task_definitions, task_record
from embedded_aws.ecs.task_life import TaskLife

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record, Tags

_STARTED_BY = re.compile(r"[A-Za-z0-9_/-]{0,128}")


def install() -> None:
    """Replace ministack's operation."""
    ecs._ACTION_MAP["RunTask"] = json_action(run_task)
    ecs._run_task = ecs._ACTION_MAP["RunTask"]


def run_task(request: Members) -> Members:
    """RunTask."""
    cluster = records.cluster(request)
    _check(request)
    with records.lock:
        earlier = client_tokens.earlier_tasks(cluster, request)
        if earlier is not None:
            return {"tasks": [_shown(each) for each in earlier], "failures": []}
        definition = task_definitions.usable(str(request.get("taskDefinition", "")))
        chosen = launching.choice(request, cluster, definition)
        launching.check_network(request, definition)
        tasks, failures = _place(request, cluster, definition, chosen)
        client_tokens.remember(cluster, request, tasks)
        lives = [TaskLife(task, definition) for task in tasks]
        answer = {"tasks": [_shown(each) for each in tasks], "failures": failures}
    for life in lives:
        life.begin()
    return answer


def _check(request: Members) -> None:
    if not 1 <= request.get("count", 1) <= 10:
        raise ApiError("InvalidParameterException", "Count must be between 1 and 10.")
    if not _STARTED_BY.fullmatch(request.get("startedBy") or ""):
        raise ApiError(
            "InvalidParameterException",
            "startedBy takes up to 128 letters, numbers, hyphens, forward slashes and underscores.",
        )
    if request.get("propagateTags") not in {None, "NONE", "TASK_DEFINITION"}:
        raise ApiError("InvalidParameterException", "propagateTags SERVICE is not supported for RunTask.")
    tags.check(request.get("tags") or [])
    for volume in request.get("volumeConfigurations") or []:
        _check_volume(volume)


def _check_volume(volume: Members) -> None:
    """Data type EBSTagSpecification: "Tags can only propagate to a SERVICE specified in ServiceVolumeConfiguration"."""
    managed = volume.get("managedEBSVolume") or {}
    if any(each.get("propagateTags") == "SERVICE" for each in managed.get("tagSpecifications") or []):
        raise ApiError("InvalidParameterException", "propagateTags SERVICE is not supported for the volume of a task.")


def _place(
    request: Members, cluster: Record, definition: Record, chosen: Members
) -> tuple[list[Record], list[Members]]:
    tasks: list[Record] = []
    failures: list[Members] = []
    members = {
        "group": request.get("group") or f"family:{definition['family']}",
        "startedBy": request.get("startedBy") or None,
        "overrides": request.get("overrides"),
        "networkConfiguration": request.get("networkConfiguration"),
        "enableExecuteCommand": request.get("enableExecuteCommand", False),
        **launching.placement(chosen, cluster, request.get("platformVersion")),
    }
    for _ in range(request.get("count", 1)):
        if behaviour.take("placement_failures"):
            failures.append(_failure(members))
        else:
            task_tags = _tags(request, cluster, definition)
            tasks.append(task_record.create(cluster, definition, dict(members), task_tags))
    return tasks, failures


def _tags(request: Members, cluster: Record, definition: Record) -> Tags:
    inherited: Tags = []
    if request.get("propagateTags") == "TASK_DEFINITION":
        inherited += tags.read(definition["taskDefinitionArn"])
    if request.get("enableECSManagedTags"):
        inherited.append({"key": "aws:ecs:clusterName", "value": cluster["clusterName"]})
    given: Tags = request.get("tags") or []
    return tags.check_number(list({tag["key"]: tag for tag in [*inherited, *given]}.values()))


def _failure(members: Members) -> Members:
    reason = behaviour.current.placement_reason
    if members["launchType"] == "FARGATE":
        return {"reason": reason or launching.FARGATE_FULL}
    return {"arn": members["containerInstanceArn"], "reason": reason or "RESOURCE:MEMORY"}


def _shown(task: Record) -> Members:
    return {**records.shown(task), "tags": tags.read(task["taskArn"])}
