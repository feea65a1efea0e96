"""ListTasks, DescribeTasks and StopTask."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ministack.services import ecs

from embedded_aws import behaviour
from embedded_aws.api import ApiError, json_action, page
from embedded_aws.ecs import records, tags, task_life

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record

_LIMIT = 100


def install() -> None:
    """Replace ministack's operations."""
    ecs._ACTION_MAP.update(
        ListTasks=json_action(_list_tasks),
        DescribeTasks=json_action(_describe_tasks),
        StopTask=json_action(_stop_task),
    )
    ecs._describe_tasks = ecs._ACTION_MAP["DescribeTasks"]
    ecs._stop_task = ecs._ACTION_MAP["StopTask"]


def forget_stopped_tasks() -> None:
    """Drop the tasks that have been stopped for longer than AWS shows them (about an hour)."""
    oldest = time.time() - behaviour.current.stopped_task_lifetime
    with records.lock:
        for task in ecs._tasks.values():
            if task["lastStatus"] == "STOPPED" and task["stoppedAt"] <= oldest:
                ecs._tasks.pop(task["taskArn"], None)
                ecs._tags.pop(task["taskArn"], None)


def _list_tasks(request: Members) -> Members:
    cluster = records.cluster(request)
    others = ["serviceName", "family", "launchType", "containerInstance"]
    others += ["desiredStatus"] if behaviour.current.started_by_alone else []
    if request.get("startedBy") and any(request.get(name) for name in others):
        raise ApiError("InvalidParameterException", "cannot specify startedBy with any other filter")
    service = _service(cluster, request)
    with records.lock:
        found = [each for each in _visible(cluster) if _matches(each, request, service)]
    shown, more = page([each["taskArn"] for each in found], request)
    return {"taskArns": shown, **more}


def _service(cluster: Record, request: Members) -> Record | None:
    name = request.get("serviceName")
    if not name:
        return None
    service = records.find_service(cluster, name)
    if service is None:
        raise ApiError("ServiceNotFoundException", "Service not found.")
    return service


def _visible(cluster: Record) -> list[Record]:
    forget_stopped_tasks()
    newest = time.time() - behaviour.current.task_visibility_delay
    return [each for each in records.tasks(cluster["clusterArn"]) if each["createdAt"] <= newest]


def _matches(task: Record, request: Members, service: Record | None) -> bool:
    definition = ecs._task_defs[task["taskDefinitionArn"].rpartition("/")[2]]
    filters = [
        (request.get("desiredStatus") or "RUNNING", task["desiredStatus"]),
        (request.get("startedBy"), task.get("startedBy")),
        (request.get("family"), definition["family"]),
        (request.get("launchType"), task["launchType"]),
        (request.get("containerInstance"), task.get("containerInstanceArn")),
        (service and service["serviceArn"], task.get("_service")),
    ]
    return all(wanted in {None, "", has} for wanted, has in filters)


def _describe_tasks(request: Members) -> Members:
    cluster = records.cluster(request)
    references = request.get("tasks") or []
    if not references or "" in references:
        raise ApiError("InvalidParameterException", "Tasks cannot be empty.")
    if len(references) > _LIMIT:
        raise ApiError("InvalidParameterException", f"Tasks cannot be more than {_LIMIT}.")
    with_tags = "TAGS" in (request.get("include") or [])
    with records.lock:
        visible = {each["taskArn"] for each in _visible(cluster)}
        found = [(reference, records.find_task(cluster, reference)) for reference in references]
        tasks = [_shown(task, with_tags=with_tags) for _, task in found if task and task["taskArn"] in visible]
    missing = [reference for reference, task in found if not task or task["taskArn"] not in visible]
    failures = [{"arn": _arn(cluster, each), "reason": "MISSING"} for each in missing]
    return {"tasks": tasks, "failures": failures}


def _shown(task: Record, *, with_tags: bool) -> Members:
    return {**records.shown(task), "tags": tags.read(task["taskArn"]) if with_tags else []}


def _arn(cluster: Record, reference: str) -> str:
    return reference if reference.startswith("arn:") else records.arn("task", cluster["clusterName"], reference)


def _stop_task(request: Members) -> Members:
    cluster = records.cluster(request)
    task = records.find_task(cluster, request.get("task") or "")
    if task is None:
        raise ApiError("InvalidParameterException", "The referenced task was not found.")
    task_life.stop(task, request.get("reason") or "Task stopped by user", "UserInitiated")
    return {"task": _shown(task, with_tags=True)}
