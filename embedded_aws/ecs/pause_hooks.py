"""Lifecycle hooks that pause a rolling deployment until ContinueServiceDeployment, or until their time is over.

Data type DeploymentLifecycleHook (targetType PAUSE); guide, "Continuing Amazon ECS service deployments". All stages
pause here at the end of the rollout, one after the other.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING

from embedded_aws.api import ApiError
from embedded_aws.ecs import deployments, records

if TYPE_CHECKING:
    from embedded_aws.api import Members
    from embedded_aws.ecs.records import Record

_DEFAULT_MINUTES = 1440


def holds(service: Record) -> bool:
    """Whether the newest deployment waits at a hook now; begins the pause."""
    record = service["_service_deployments"][0]
    if record["status"] not in {"IN_PROGRESS", "ROLLBACK_IN_PROGRESS"}:
        return False
    details = record.setdefault("lifecycleHookDetails", [])
    stages = [(hook, stage) for hook in _hooks(service) for stage in hook.get("lifecycleStages") or []]
    waiting = next((each for each in details if each["status"] == "AWAITING_ACTION"), None)
    if waiting is None and len(details) < len(stages):
        hook, stage = stages[len(details)]
        timeout = hook.get("timeoutConfiguration") or {}
        waiting = {
            "hookId": uuid.uuid4().hex,
            "targetType": "PAUSE",
            "status": "AWAITING_ACTION",
            "expiresAt": time.time() + 60 * timeout.get("timeoutInMinutes", _DEFAULT_MINUTES),
            "timeoutAction": timeout.get("action", "ROLLBACK"),
        }
        details.append(waiting)
        record["lifecycleStage"] = stage
    if waiting is not None and time.time() >= waiting["expiresAt"]:
        _end(service, waiting, "TIMED_OUT", waiting["timeoutAction"])
    return any(each["status"] == "AWAITING_ACTION" for each in details) or len(details) < len(stages)


def go_on(service: Record, record: Record, hook_id: str, action: str) -> None:
    """Continue or roll back a paused deployment; raise InvalidParameterException when it does not wait there."""
    waiting = next((each for each in record.get("lifecycleHookDetails", []) if each["hookId"] == hook_id), None)
    if waiting is None or waiting["status"] != "AWAITING_ACTION":
        raise ApiError("InvalidParameterException", f"The service deployment is not paused at the hook {hook_id}.")
    _end(service, waiting, "SUCCEEDED", action)
    records.wake.set()


def _end(service: Record, waiting: Members, status: str, action: str) -> None:
    waiting["status"] = status
    if action == "ROLLBACK" and service.get("_completed"):
        deployments.roll_back(service, "Service deployment rolled back because of a lifecycle hook.")


def _hooks(service: Record) -> list[Members]:
    hooks = service["deploymentConfiguration"].get("lifecycleHooks") or []
    return [each for each in hooks if each.get("targetType") == "PAUSE"]
