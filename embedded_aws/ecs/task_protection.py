"""Task scale-in protection: a protected task of a service is not stopped by a deployment or by scaling in.

UpdateTaskProtection, GetTaskProtection; guide, "Protect your Amazon ECS tasks from being terminated by scale-in"...
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ministack.services import ecs

from embedded_aws.api import ApiError, json_action
from embedded_aws.ecs import records

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record

_DEFAULT_MINUTES, _MOST_MINUTES = 120, 2880
_AT_ONCE = {"UpdateTaskProtection": 10, "GetTaskProtection": 100}


def install() -> None:
    """Replace ministack's operations."""
    ecs._ACTION_MAP.update(UpdateTaskProtection=json_action(_update), GetTaskProtection=json_action(_get))


def is_protected(task: Record) -> bool:
    """Whether a task may not be stopped now."""
    return bool(task.get("_protected_until", 0.0) > time.time())


def _update(request: Members) -> Members:
    minutes = request.get("expiresInMinutes") or _DEFAULT_MINUTES
    if not 1 <= minutes <= _MOST_MINUTES:
        raise ApiError("InvalidParameterException", "expiresInMinutes takes 1 to 2880.")
    tasks, failures = _of_services(request, "UpdateTaskProtection")
    for task in tasks:
        task["_protected_until"] = time.time() + 60 * minutes if request["protectionEnabled"] else 0.0
    records.wake.set()
    return {"protectedTasks": [_shown(task) for task in tasks], "failures": failures}


def _get(request: Members) -> Members:
    tasks, failures = _of_services(request, "GetTaskProtection")
    return {"protectedTasks": [_shown(task) for task in tasks], "failures": failures}


def _of_services(request: Members, operation: str) -> tuple[list[Record], list[Members]]:
    cluster = records.cluster(request)
    references = request.get("tasks") or []
    if len(references) > _AT_ONCE[operation]:
        raise ApiError("InvalidParameterException", f"Tasks cannot be more than {_AT_ONCE[operation]}.")
    found, failures = [], []
    for reference in references:
        task = records.find_task(cluster, reference)
        if task is None or not task.get("_service"):
            failures.append({"arn": reference, "reason": "TASK_NOT_VALID" if task else "MISSING"})
        else:
            found.append(task)
    return found, failures


def _shown(task: Record) -> Members:
    protected = is_protected(task)
    expires = {"expirationDate": task["_protected_until"]} if protected else {}
    return {"taskArn": task["taskArn"], "protectionEnabled": protected, **expires}
